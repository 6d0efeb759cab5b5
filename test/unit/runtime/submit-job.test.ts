// Submitting: what is refused leaves no trace, one key gives one job, and what is pinned stays.
import { describe, expect, test } from "vitest";
import { WorkflowError } from "../../../src/core/error.ts";
import type { Json } from "../../../src/core/json.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { chain, echo, numbers, task, workflow } from "../../support/shapes.ts";

function started(options: ConstructorParameters<typeof TestRuntime>[0] = {}): TestRuntime {
  const runtime = new TestRuntime({ handlers: [echo], restarts: true, ...options });
  runtime.catalog.put(chain(2));
  return runtime;
}

async function refusal(work: Promise<unknown>): Promise<WorkflowError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof WorkflowError) return error;
  throw new Error(`expected a refusal, got ${String(error)}`);
}

describe("what is refused creates nothing", () => {
  test.each([
    ["an unknown workflow", { workflow_id: "none" }, "WORKFLOW_NOT_FOUND"],
    [
      "bad input",
      { workflow_id: "typed", input_params: { count: "seven" } },
      "INPUT_INVALID",
    ],
    ["missing input", { workflow_id: "typed" }, "INPUT_INVALID"],
    [
      "too much input",
      { workflow_id: "typed", input_params: { count: 1, text: "x".repeat(300_000) } },
      "INPUT_INVALID",
    ],
  ])("%s", async (_name, submission, code) => {
    const runtime = started();
    const inputs = {
      count: { type: "integer", required: true },
      text: { type: "string" },
    };
    const nodes = { start: { type: "start", next: "end" }, end: { type: "end" } };
    runtime.catalog.put(workflow("typed", nodes, { inputs }));
    expect((await refusal(runtime.submit(submission))).code).toBe(code);
    expect(Object.fromEntries(runtime.store.requests)).toEqual({});
    expect(runtime.queue.length).toBe(0);
  });

  const overrides: readonly (readonly [declared: Json, setting: string, problem: string])[] = [
    [3, '{"c4nary', "expected a number, as JSON"],
    [3, "c4nary", "expected a number, as JSON"],
    [null, "c4nary", "expected a value, as JSON"],
    [3, "1e999", "expected a finite number, got Infinity"],
    [{}, '{"c4nary":[-1e999]}', "expected a finite number, got -Infinity"],
    [{}, '{"c4nary":{"__proto__":1}}', 'the key "__proto__" is not allowed'],
    [{}, '"c4nary"', "expected a map, got a string"],
    [[1], '{"c4nary":1}', "expected a list, got a map"],
    [true, "1", "expected a boolean, got a number"],
    [3, "null", "expected a number, got null"],
  ];

  test.each(overrides)("an override of the var %j by %j", async (limit, setting, problem) => {
    const runtime = started({ vars: { limit: setting } });
    runtime.catalog.put({ ...chain(1), workflow_id: "v", vars: { limit } });
    const { code, message, cause } = await refusal(runtime.submit({ workflow_id: "v" }));
    expect([code, message]).toEqual([
      "CONFIGURATION_INVALID",
      `setting HOLDFAST_VAR_limit: ${problem}`,
    ]);
    expect(`${message} ${String(cause)}`).not.toContain("c4nary");
    expect(Object.fromEntries(runtime.store.requests)).toEqual({});
  });
});

test.each<readonly [declared: Json, setting: string, value: Json]>([
  ["text", "1e999", "1e999"],
  [3, "-0.5", -0.5],
  [false, "true", true],
  [["a"], "[]", []],
  [{ a: 1 }, '{"b":[2]}', { b: [2] }],
  [null, '"any"', "any"],
  [null, "[null]", [null]],
])("the var %j takes the setting %j", async (limit, setting, value) => {
  const runtime = started({ vars: { limit: setting } });
  runtime.catalog.put({ ...chain(1), workflow_id: "v", vars: { limit } });
  const { job } = await runtime.submit({ workflow_id: "v" });
  expect(job.vars).toEqual({ limit: value });
});

describe("an idempotency key", () => {
  test("gives the same job for the same request, even when the definition is gone", async () => {
    const runtime = started();
    const first = await runtime.submit({ workflow_id: "chain", tags: ["a"] }, { key: "k" });
    expect(await runtime.runToEnd(first.job.job_id)).toBe("completed");
    runtime.catalog.entries.clear();
    const again = await runtime.submit({ workflow_id: "chain", tags: ["a"] }, { key: "k" });
    expect(again.created).toBe(false);
    expect(again.job.job_id).toBe(first.job.job_id);
    expect(again.job.status).toBe("completed");
    expect(again.job.workflow_digest).toBe(first.job.workflow_digest);
    expect(runtime.queue.length).toBe(0);
  });

  test("is refused for another request, with both digests", async () => {
    const runtime = started();
    await runtime.submit({ workflow_id: "chain" }, { key: "k" });
    const other = runtime.submit({ workflow_id: "chain", correlation_id: "c" }, { key: "k" });
    const { code, facts } = await refusal(other);
    expect(code).toBe("IDEMPOTENCY_CONFLICT");
    expect(facts["first_request"]).toMatch(/^sha256:/);
    expect(facts["this_request"]).toMatch(/^sha256:/);
    expect(facts["first_request"]).not.toBe(facts["this_request"]);
  });

  test("is scoped by caller and workflow", async () => {
    const runtime = started();
    runtime.catalog.put({ ...chain(1), workflow_id: "other" });
    const jobs = [
      await runtime.submit({ workflow_id: "chain" }, { key: "k" }),
      await runtime.submit({ workflow_id: "other" }, { key: "k" }),
      await runtime.submit({ workflow_id: "chain" }, { key: "k", authenticated_as: "principal:a" }),
      await runtime.submit({ workflow_id: "chain" }, { key: "k2" }),
    ];
    expect(new Set(jobs.map(({ job }) => job.job_id)).size).toBe(4);
    expect(jobs.every(({ created }) => created)).toBe(true);
  });

  test("gives one job and one start to fifty submits at once", async () => {
    const runtime = started();
    runtime.addProcess();
    runtime.gate.latencyMs = ({ number }) => 1 + ((number * 7919) % 23);
    const submits = Promise.all(
      numbers(50).map((n) => {
        const process = runtime.processes[n % 2] ?? runtime.first;
        return runtime.submit({ workflow_id: "chain" }, { key: "k", process });
      }),
    );
    await runtime.clock.advance(2000);
    const answers = await submits;
    expect(new Set(answers.map(({ job }) => job.job_id)).size).toBe(1);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    const [first] = answers;
    const jobId = first?.job.job_id ?? "";
    expect(await runtime.runToEnd(jobId)).toBe("completed");
    const events = runtime.entries(jobId).flatMap((entry) => entry["events"] as { type: string }[]);
    expect(events.filter(({ type }) => type === "job_started")).toHaveLength(1);
    expect(events.filter(({ type }) => type === "node_started")).toHaveLength(2);
    expect(runtime.store.allJobs()).toHaveLength(1);
  });

  test("repairs a submit that died between entry 0 and the projection", async () => {
    const runtime = started();
    runtime.gate.rule = ({ operation }) =>
      operation === "jobs.create" ? "dies_before" : undefined;
    void runtime.submit({ workflow_id: "chain" }, { key: "k" });
    await runtime.clock.advance(0);
    expect(runtime.first.isAlive).toBe(false);
    expect(runtime.store.allJobs()).toEqual([]);
    runtime.gate.rule = () => undefined;
    const process = runtime.addProcess();
    const { job, created } = await runtime.submit({ workflow_id: "chain" }, { key: "k", process });
    expect(created).toBe(false);
    expect(runtime.store.allJobs()[0]?.["summary"]).toEqual({ pending: 4 });
    expect(await runtime.runToEnd(job.job_id, 10)).toBe("completed");
  });
});

describe("a pinned job", () => {
  const edits: readonly [string, (runtime: TestRuntime) => void][] = [
    ["edited", (runtime) => void runtime.catalog.put({ ...chain(5), version: 2 })],
    ["edited without a new number", (runtime) => void runtime.catalog.put(chain(3))],
    ["deleted", (runtime) => runtime.catalog.entries.clear()],
    [
      "broken",
      (runtime) => {
        runtime.catalog.find = () => Promise.reject(new WorkflowError("DEFINITION_INVALID", "no"));
      },
    ],
  ];

  test.each(edits)("does not notice that its definition was %s, at any step", async (_n, edit) => {
    const plain = started();
    const { job: one } = await plain.submit({ workflow_id: "chain" });
    await plain.runToEnd(one.job_id);
    const requests = plain.gate.requests.length;
    expect(requests).toBeGreaterThan(5);
    for (let step = 4; step <= requests; step += 1) {
      const runtime = started();
      const submits = numbers(20).map(() => runtime.submit({ workflow_id: "chain" }));
      const jobs = await Promise.all(submits);
      const before = runtime.gate.requests.length;
      runtime.gate.rule = ({ number }) => {
        if (number === before + step) edit(runtime);
        return undefined;
      };
      for (const { job } of jobs) {
        expect(await runtime.runToEnd(job.job_id)).toBe("completed");
        const { _provenance: stamp, ...results } = runtime.result(job.job_id);
        expect(results).toEqual({ t1: { n: 1 }, t2: { n: 2 } });
        expect(stamp).toMatchObject({
          workflow_version: 1,
          workflow_digest: job.workflow_digest,
          job_id: job.job_id,
        });
      }
    }
  });

  test("keeps the vars of its submission", async () => {
    const vars: Record<string, string> = { name: "set", limit: "7" };
    const runtime = started({ vars });
    const params = { name: "{{ vars.name }}", limit: "{{ vars.limit }}", kept: "{{ vars.kept }}" };
    const nodes = {
      start: { type: "start", next: "a" },
      a: task("end", { params }),
      end: { type: "end" },
    };
    const declared = { name: "declared", limit: 3, kept: "own", toString: "mine" };
    runtime.catalog.put(workflow("v", nodes, { vars: declared }));
    const { job } = await runtime.submit({ workflow_id: "v" });
    vars["name"] = "changed";
    expect(await runtime.runToEnd(job.job_id)).toBe("completed");
    expect(runtime.result(job.job_id)["a"]).toEqual({ name: "set", limit: 7, kept: "own" });
    expect(job.vars).toEqual({ ...declared, name: "set", limit: 7 });
  });
});

describe("a version", () => {
  test("with other content is refused with both digests, in every process", async () => {
    const runtime = started();
    const other = runtime.addProcess();
    await runtime.submit({ workflow_id: "chain" });
    runtime.catalog.put(chain(3));
    for (const process of [runtime.first, other]) {
      const { code, facts } = await refusal(runtime.submit({ workflow_id: "chain" }, { process }));
      expect(code).toBe("VERSION_CONFLICT");
      expect(facts["first_digest"]).not.toBe(facts["this_digest"]);
    }
    expect(runtime.store.allJobs()).toHaveLength(1);
  });

  test("that may be redefined says so in the provenance, and only then", async () => {
    const runtime = started({ mayRedefine: true });
    const { job: first } = await runtime.submit({ workflow_id: "chain" });
    runtime.catalog.put(chain(3));
    const { job: second } = await runtime.submit({ workflow_id: "chain" });
    expect(await runtime.runToEnd(first.job_id)).toBe("completed");
    expect(await runtime.runToEnd(second.job_id)).toBe("completed");
    expect(runtime.result(first.job_id)["_provenance"]).not.toHaveProperty("redefined");
    expect(runtime.result(second.job_id)["_provenance"]).toHaveProperty("redefined", true);
  });
});
