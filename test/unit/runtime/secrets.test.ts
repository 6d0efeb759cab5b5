// Secrets through the whole runtime on the memory ports: a handler gets the values, and a canary
// stands in nothing that is stored, sent, logged or answered, whatever the handler does with it.
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Json } from "../../../src/core/json.ts";
import { DOCUMENT_SCHEMA, SECRETS_SCHEMA } from "../../../src/core/event.ts";
import { MAX_RENDERED_BYTES } from "../../../src/core/limits.ts";
import { defineHandler, RetryableError, TerminalError } from "../../../src/runtime/handlers.ts";
import type { Handler, HandlerContext } from "../../../src/runtime/handlers.ts";
import { eventsView, jobView, nodeView, provenanceView } from "../../support/views.ts";
import { resultView } from "../../support/views.ts";
import { spellingsOf } from "../../../src/runtime/mask.ts";
import { end, fanIn, start, task } from "../../support/build.ts";
import { start as attempt } from "../../support/raw-attempt.ts";
import { Secrets } from "../../../src/runtime/secrets.ts";
import { submitJob } from "../../../src/runtime/submit-job.ts";
import { TestRuntime } from "../../support/runtime.ts";

const CANARY = 'CANARY-7f3a "q/u\\o+te" ÄÖ';
const OTHER = "CANARY-OTHER-55";

/** What the handlers saw, in order. */
interface Seen {
  readonly params: Json;
  readonly key: string;
}

function leaky(seen: Seen[]): Handler {
  return defineHandler({
    name: "leaky",
    version: "1",
    params: z.looseObject({}),
    output: z.unknown() as z.ZodType<Json>,
    run: (context) => leak(context as HandlerContext<Record<string, Json>>, seen),
  });
}

function leak(context: HandlerContext<Record<string, Json>>, seen: Seen[]): Json {
  const { params, log } = context;
  seen.push({ params, key: context.idempotencyKey });
  const json = JSON.stringify(params);
  const alone = typeof params["alone"] === "string" ? params["alone"] : "";
  log(`got ${json}`, { params, encoded: encodeURIComponent(json) });
  log(Buffer.from(json).toString("base64"));
  // The cut at 512 bytes goes through it.
  log(`${"x".repeat(505)}${alone}`);
  if (params["how"] === "throw") throw new Error(`no: ${json} ${encodeURIComponent(json)}`);
  if (params["how"] === "terminal") throw new TerminalError(json, "CANARY_OTHER");
  if (params["how"] === "retry") throw new RetryableError(`${"x".repeat(4090)}${json}`, "BUSY");
  return { back: params, [alone]: [json, Buffer.from(json).toString("base64")] };
}

function runtimeOf(secrets: Readonly<Record<string, string>> = { A: CANARY, B: OTHER }) {
  const seen: Seen[] = [];
  return { runtime: new TestRuntime({ handlers: [leaky(seen)], secrets }), seen };
}

const leakyTask = (how: string, more: Readonly<Record<string, unknown>> = {}) =>
  task({
    handler: "leaky",
    params: { how, alone: "{{ secrets.A }}", text: "Bearer {{ secrets.A }}!" },
    on_error: "continue",
    ...more,
  });

const LEAKS = {
  workflow_id: "leaks",
  version: 1,
  secrets: ["A", "B"],
  inputs: { items: { type: "array", default: [1, 2, 3] } },
  nodes: {
    s: start("returns", "throws", "ends", "retries", "f"),
    returns: leakyTask("return", { next: "after" }),
    after: task({
      handler: "leaky",
      params: { how: "return", from: "{{ default(nodes.returns.output, 0) }}", b: "{{secrets.B}}" },
      next: "e",
    }),
    throws: leakyTask("throw", { next: "e" }),
    ends: leakyTask("terminal", { next: "e" }),
    retries: leakyTask("retry", { retry: { max_attempts: 2 }, next: "e" }),
    f: {
      type: "fan_out",
      source: "{{ inputs.items }}",
      task: {
        handler: "leaky",
        params: {
          how: "{{ item == 2 ? 'throw' : 'return' }}",
          alone: "{{ secrets.A }}",
          item: "{{ item }} {{ secrets.A }}",
        },
      },
      on_error: "continue",
      next: "i",
    },
    i: fanIn({ next: "e" }),
    e: end(),
  },
};

/** Every spelling that would be a leak, of both values. */
const LEAKED = [CANARY, OTHER].flatMap(spellingsOf);

function leaksIn(what: string, text: string): readonly string[] {
  return LEAKED.filter((spelling) => text.includes(spelling)).map((one) => `${what}: ${one}`);
}

/** As a whole, and text by text: JSON of a document escapes what its texts hold. */
function leaksInValue(what: string, value: unknown): readonly string[] {
  const found = [...leaksIn(what, JSON.stringify(value) ?? "")];
  JSON.stringify(value, (key, member: unknown) => {
    found.push(...leaksIn(what, key));
    if (typeof member === "string") found.push(...leaksIn(what, member));
    return member;
  });
  return [...new Set(found)];
}

describe("a canary", () => {
  test("reaches its handlers and stands in nothing that stays", async () => {
    const { runtime, seen } = runtimeOf();
    runtime.catalog.put(LEAKS);
    const messages: unknown[] = [];
    const send = runtime.queue.send.bind(runtime.queue);
    runtime.queue.send = async (message, delay) => {
      messages.push(message);
      return send(message, delay);
    };
    const { job } = await runtime.submit({ workflow_id: "leaks" });
    expect(await runtime.runToEnd(job.job_id)).toBe("completed");
    expect(messages.length).toBeGreaterThan(5);

    const params = seen.map((one) => one.params as Record<string, Json>);
    expect(params.filter(({ alone }) => alone === CANARY).length).toBeGreaterThanOrEqual(8);
    expect(params.find(({ how }) => how === "throw")?.["text"]).toBe(`Bearer ${CANARY}!`);
    expect(params.map(({ item }) => item)).toContain(`3 ${CANARY}`);
    expect(params.find(({ b }) => b !== undefined)?.["b"]).toBe(OTHER);

    const { engine } = runtime.first;
    const views = await Promise.all([
      ...[jobView, eventsView, resultView, provenanceView].map((view) => view(engine, job)),
      ...Object.keys(LEAKS.nodes).map((id) => nodeView(engine, job, id)),
    ]);
    const kept = {
      journal: runtime.store.journalOf(job.job_id),
      jobs: runtime.store.allJobs(),
      logs: runtime.logs,
      keys: seen.map(({ key }) => key),
      messages,
      views,
    };
    for (const [what, value] of Object.entries(kept)) expect(leaksInValue(what, value)).toEqual([]);
    expect(JSON.stringify(kept.journal)).toContain("***");
    expect(runtime.errors).toEqual([]);
    // The scan would find it.
    expect(leaksInValue("planted", [{ [`x ${CANARY}`]: 1 }])).not.toEqual([]);
    expect(leaksInValue("planted", Buffer.from(`u:${OTHER}`).toString("base64"))).not.toEqual([]);
  });

  test("in a log line or an error is masked before these are cut", async () => {
    const secrets = new Secrets({ A: "SECRET-VALUE-0123456789" }).of(["A"]);
    const long = `${"x".repeat(500)}SECRET-VALUE-0123456789`;
    const outcome = await attempt(
      ({ log }) => {
        log(long);
        throw new TerminalError(`${"y".repeat(4085)}SECRET-VALUE-0123456789`, "SECRET_VALUE");
      },
      { secrets },
    );
    expect(outcome).toMatchObject({ kind: "failed", error: { code: "SECRET_VALUE" } });
    expect(JSON.stringify(outcome)).not.toContain("SECRET-");
    expect(outcome.log).toEqual([`${"x".repeat(500)}***`]);
  });

  test.each(["p{a|ss}word", "ab cd[12]", "abc\\defgh", "https://h/api/webhooks/1/TOKEN?wait=true"])(
    "%s is masked as a URL has it, in the output, the error and the log",
    async (value) => {
      const secrets = new Secrets({ A: value }).of(["A"]);
      const url = new URL(value.startsWith("https:") ? value : `https://h/v1/${value}/send`);
      const said = `${url.origin}${url.pathname} ${url.pathname} ${url.href}`;
      const returned = await attempt(() => ({ [said]: said }), { secrets });
      const thrown = await attempt(
        ({ log }) => {
          log(said, { said });
          throw new TerminalError(said, "NO");
        },
        { secrets },
      );
      expect([returned.kind, thrown.kind]).toEqual(["completed", "failed"]);
      expect(JSON.stringify([returned, thrown])).not.toMatch(/word|cd|12|defgh|TOKEN|wait/);
    },
  );

  test("is no code of an error", async () => {
    const secrets = new Secrets({ A: "TOKEN_ABC" }).of(["A"]);
    const outcome = await attempt(
      () => {
        throw new TerminalError("no", "MY_TOKEN_ABC");
      },
      { secrets },
    );
    expect(outcome).toMatchObject({ error: { code: "HANDLER_FAILED", message: "no" } });
  });

  test("is masked where an output is refused, by its key too", async () => {
    const secrets = new Secrets({ A: CANARY }).of(["A"]);
    const outcome = await attempt(() => ({ [CANARY]: undefined }), { secrets });
    expect(outcome).toMatchObject({ error: { code: "OUTPUT_INVALID" } });
    expect(leaksInValue("outcome", outcome)).toEqual([]);
    expect(JSON.stringify(outcome)).toContain("***");
  });
});

describe("a secret without a value", () => {
  const one = (more: Readonly<Record<string, unknown>> = {}) => ({
    workflow_id: "one",
    version: 1,
    secrets: ["A", "B"],
    nodes: {
      s: start("a"),
      a: task({ handler: "leaky", params: { p: "{{secrets.A}}{{secrets.B}}" }, ...more }),
    },
  });

  test("is told at submission, by name, and nothing is written", async () => {
    const { runtime } = runtimeOf({ A: CANARY });
    runtime.catalog.put(one());
    await expect(runtime.submit({ workflow_id: "one" })).rejects.toMatchObject({
      code: "SECRET_MISSING",
      message: "this app has no value for 1 secret: set HOLDFAST_SECRET_B",
    });
    expect(runtime.store.allJobs()).toEqual([]);
  });

  test("is told by an engine that was given no secrets at all", async () => {
    const { runtime } = runtimeOf();
    const { secrets: _gone, ...bare } = runtime.first.engine;
    runtime.catalog.put(one());
    const { catalog } = runtime;
    const submitter = { engine: bare, catalog, versions: runtime.first.versions, vars: {} };
    await expect(
      submitJob(submitter, { workflow_id: "one" }, { authenticated_as: "key" }),
    ).rejects.toMatchObject({ code: "SECRET_MISSING" });
  });

  test("fails the attempt before the handler is called, and retry decides", async () => {
    const { runtime, seen } = runtimeOf();
    runtime.catalog.put(one({ retry: { max_attempts: 3, initial_delay_seconds: 60 } }));
    const { job } = await runtime.submit({ workflow_id: "one" });
    runtime.first.die();
    const lacking = runtime.addProcess({ secrets: new Secrets({ B: OTHER }) });
    await runtime.run(async () => JSON.stringify(runtime.entries(job.job_id)).includes("retried"));
    expect(seen).toEqual([]);
    const retried = runtime.entries(job.job_id).flatMap((entry) => entry["events"]);
    expect(retried).toContainEqual(
      expect.objectContaining({
        type: "node_retried",
        error: {
          code: "SECRET_MISSING",
          message: "this app has no value for 1 secret: set HOLDFAST_SECRET_A",
        },
      }),
    );
    lacking.die();
    runtime.addProcess();
    expect(await runtime.runToEnd(job.job_id)).toBe("completed");
    expect(seen).toHaveLength(1);
  });

  test("ends the job where there is no retry", async () => {
    const { runtime } = runtimeOf();
    runtime.catalog.put(one());
    const { job } = await runtime.submit({ workflow_id: "one" });
    runtime.first.die();
    runtime.addProcess({ secrets: new Secrets({}) });
    expect(await runtime.runToEnd(job.job_id)).toBe("failed");
    const last = JSON.stringify(runtime.entries(job.job_id).at(-1));
    expect(last).toContain("set HOLDFAST_SECRET_A, HOLDFAST_SECRET_B");
  });
});

test("params that are too large with their secrets fail, not retried", () => {
  const secrets = new Secrets({ A: "x".repeat(MAX_RENDERED_BYTES) }).of(["A"]);
  expect(secrets.open({ kind: "secret", name: "A" })).toMatchObject({
    kind: "failed",
    error: { code: "LIMIT_EXCEEDED" },
    retryable: false,
  });
});

test("a job has the secrets on its workflow's list and no others", () => {
  const secrets = new Secrets({ A: CANARY, B: OTHER }).of(["A"]);
  expect(secrets.open({ kind: "secret", name: "B" })).toMatchObject({ kind: "failed" });
  expect(secrets.text(`${CANARY} ${OTHER}`)).toBe(`*** ${OTHER}`);
});

test.each([
  ["plain", DOCUMENT_SCHEMA],
  ["leaks", SECRETS_SCHEMA],
])("every document of the job %s is of schema %i", async (id, schema) => {
  const { runtime } = runtimeOf();
  const nodes = { s: start("a"), a: task({ handler: "leaky" }) };
  runtime.catalog.put({ workflow_id: "plain", version: 1, nodes });
  runtime.catalog.put(LEAKS);
  const { job } = await runtime.submit({ workflow_id: id });
  await runtime.runToEnd(job.job_id);
  const documents = [
    ...runtime.store.journalOf(job.job_id),
    ...runtime.store.allJobs().filter((one) => one["job_id"] === job.job_id),
  ];
  expect(documents.length).toBeGreaterThan(2);
  expect(new Set(documents.map((one) => one["schema"]))).toEqual(new Set([schema]));
});
