// Jobs through their routes: reading them in every form, finding them, the idempotency of a
// submission, cancelling, and one job of each node type from HTTP to its provenance.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Answer, Body } from "../support/app-client.ts";
import { appFixture } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";
import { waitFor } from "../support/wait-until.ts";

const ECHO = `
workflow_id: say
version: 1
inputs:
  text: { type: string, default: hello }
nodes:
  start: { type: start, next: say }
  say: { type: task, handler: echo, params: { message: "{{ inputs.text }}", steps: 3 }, next: end }
  end: { type: end }
`;
const SLOW = `
workflow_id: slow
version: 1
nodes:
  start: { type: start, next: first }
  first: { type: task, handler: echo, params: { message: 1 }, next: nap }
  nap: { type: task, handler: sleep, params: { seconds: 60 }, next: after }
  after: { type: task, handler: echo, params: { message: 2 }, next: end }
  end: { type: end }
`;
const ALL_TYPES = `
workflow_id: all_types
version: 4
inputs:
  numbers: { type: array, default: [3, 1, 2] }
vars: { factor: 10 }
nodes:
  start: { type: start, next: each }
  each:
    type: fan_out
    source: "{{ inputs.numbers }}"
    task:
      handler: transform
      params:
        input: { n: "{{ item }}", factor: "{{ vars.factor }}" }
        output: { value: input.n * input.factor }
    next: total
  total: { type: fan_in, aggregation: sum, select: value.value, next: route }
  route:
    type: conditional
    condition_field: "{{ nodes.total.output.total }}"
    branches:
      - { name: large, condition: "> 50", next: large }
      - { name: small, default: true, next: small }
  large: { type: task, handler: echo, params: { message: large }, next: flaky }
  small: { type: task, handler: echo, params: { message: small }, next: flaky }
  flaky:
    type: task
    depends_on: { any_of: [large, small] }
    handler: flaky_echo
    params: { fail_times: 1, message: "{{ nodes.total.output.total }}" }
    retry: { max_attempts: 2, initial_delay_seconds: 0, jitter: 0 }
    next: broken
  broken: { type: task, handler: fail, params: { message: no }, on_error: continue, next: end }
  end: { type: end }
`;
const FAILS = `
workflow_id: fails
version: 1
nodes:
  start: { type: start, next: [good, bad] }
  good: { type: task, handler: echo, params: { message: kept }, next: end }
  bad:
    type: task
    depends_on: { all_of: [good] }
    handler: fail
    params: { message: on purpose, code: MY_CODE }
    next: end
  end: { type: end }
`;

let fixture: AppFixture;
let app: StartedApp;

beforeAll(async () => {
  fixture = await appFixture();
  const workflows = {
    "say.yaml": ECHO,
    "say-2.yaml": ECHO.replace("version: 1", "version: 2"),
    "slow.yaml": SLOW,
    "all.yaml": ALL_TYPES,
    "fails.yaml": FAILS,
    "gone.yaml": ECHO.replace("say\n", "gone\n"),
  };
  app = await fixture.start({ workflows });
});
afterAll(() => fixture.stop());

function problemOf({ status, body }: Answer): readonly unknown[] {
  return [status, body.code];
}

/** A job that has come to its long sleep. */
async function sleeping(more: object = {}): Promise<string> {
  const id = await app.submit("slow", more);
  const atNap = async (): Promise<boolean> =>
    (await app.job(id)).nodes.some((node) => node.node_id === "nap" && node.status === "running");
  await waitFor(atNap, { what: "the job sleeps" });
  return id;
}

describe("reading a job", () => {
  test("every node type runs, and the result is keyed by node", async () => {
    const job = await app.run("all_types");
    const { _provenance, ...results } = job.result_data;
    expect(job.status).toBe("completed");
    expect(results).toEqual({
      total: { total: 60, count: 3 },
      large: { message: "large", steps: 0, echoed: true },
      flaky: { message: 60, attempt: 2 },
    });
    expect(Object.fromEntries(job.nodes.map((node) => [node.node_id, node.status]))).toEqual({
      start: "completed", each: "completed", total: "completed", route: "completed",
      large: "completed", small: "skipped", flaky: "completed", broken: "failed",
      end: "completed",
    });
    expect(job["summary"]).toMatchObject({ completed: 7, failed: 1, skipped: 1 });
    expect(_provenance).toMatchObject({ status: "completed", workflow_version: 4 });
  });

  test("a node shows its attempts, events and last log lines", async () => {
    const said = await app.run("say");
    const say = await app.get(`/jobs/${said.job_id}/nodes/say`);
    expect(say.body["attempts"]).toMatchObject([{ attempt: 1, status: "completed" }]);
    expect(say.body["log"]).toHaveLength(3);
    const job = await app.run("all_types");
    const flaky = (await app.get(`/jobs/${job.job_id}/nodes/flaky`)).body;
    expect(flaky).toMatchObject({
      status: "completed",
      workflow_version: 4,
      attempts: [
        { attempt: 1, status: "failed", error: { code: "HANDLER_FAILED" } },
        { attempt: 2, status: "completed" },
      ],
    });
    expect(new Set(flaky.events.map(({ node_id }) => node_id))).toEqual(new Set(["flaky"]));
    const each = (await app.get(`/jobs/${job.job_id}/nodes/each`)).body;
    expect(each).toMatchObject({ type: "fan_out", items: { count: 3, completed: 3 } });
  });

  test("the history is whole, in order, and its hashes are all different", async () => {
    const job = await app.run("all_types");
    const events = await app.events(job.job_id);
    const numbers = events.map(({ seq }) => seq);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers)).toEqual(new Set(Array(Number(job["seq"]) + 1).keys()));
    expect([events[0]?.type, events.at(-1)?.type]).toEqual(["job_created", "job_completed"]);
    expect(new Set(events.map(({ hash }) => hash)).size).toBe(events.length);
  });

  test("a failed job keeps what completed, says why, and has provenance", async () => {
    const job = await app.run("fails");
    expect(job).toMatchObject({ status: "failed", error: { code: "MY_CODE" } });
    expect(job.result_data["good"]).toMatchObject({ message: "kept", echoed: true });
    const events = await app.events(job.job_id);
    expect(job.result_data["_provenance"]).toMatchObject({
      status: "failed",
      completed_at: events.at(-1)?.at,
    });
  });

  test("result and provenance of a running job are refused, with when to ask again", async () => {
    const id = await sleeping();
    for (const part of ["result", "provenance"]) {
      const answer = await app.get(`/jobs/${id}/${part}`);
      expect(problemOf(answer)).toEqual([409, "JOB_NOT_TERMINAL"]);
      expect(answer.body).toMatchObject({ status: 409, job_status: "running" });
      expect(answer.headers.get("retry-after")).toBe("5");
    }
    expect((await app.get(`/jobs/${id}`)).headers.get("retry-after")).toBe("1");
    await app.call("POST", `/jobs/${id}/cancel`);
    await app.ended(id);
    expect((await app.get(`/jobs/${id}`)).headers.get("retry-after")).toBeNull();
  });
});

describe("finding jobs", () => {
  let jobs: readonly Body[];

  beforeAll(async () => {
    const made: Body[] = [];
    for (const [index, version] of [1, 2, 1].entries()) {
      const correlation_id = index < 2 ? "shared" : "alone";
      const more = { version, correlation_id, idempotency_key: `find-${index}` };
      made.push(await app.run("say", more));
    }
    jobs = made;
  });

  const idsOf = async (query: string): Promise<readonly string[]> =>
    (await app.get(`/jobs?${query}`)).body.jobs.map(({ job_id }) => job_id);

  test("each filter gives its jobs, the newest first", async () => {
    const [one, two, three] = jobs.map(({ job_id }) => job_id);
    expect(await idsOf("correlation_id=shared")).toEqual([two, one]);
    expect(await idsOf("correlation_id=alone")).toEqual([three]);
    expect(await idsOf("idempotency_key=find-1")).toEqual([two]);
    expect(await idsOf("workflow_id=say&workflow_version=2")).toContain(two);
    expect(await idsOf("workflow_id=say&workflow_version=2")).not.toContain(one);
    expect(await idsOf("status=completed&correlation_id=shared")).toEqual([two, one]);
    expect(await idsOf("status=failed&correlation_id=shared")).toEqual([]);
    expect(await idsOf("correlation_id=nobody")).toEqual([]);
  });

  test("pages follow each other without a gap or a repetition", async () => {
    const seen: string[] = [];
    let query = "workflow_id=say&limit=2";
    let pages = 0;
    for (;;) {
      const { body } = await app.get(`/jobs?${query}`);
      pages += 1;
      seen.push(...body.jobs.map(({ job_id }) => job_id));
      if (body["continuation"] === undefined) break;
      expect(body["count"]).toBe(2);
      const continuation = encodeURIComponent(body["continuation"] as string);
      query = `workflow_id=say&limit=2&continuation=${continuation}`;
    }
    expect(pages).toBeGreaterThan(1);
    expect(seen).toEqual(await idsOf("workflow_id=say&limit=200"));
    expect(new Set(seen).size).toBe(seen.length);
  });

  test("lists and jobs carry version and digest, never the snapshot or the state", async () => {
    const list = await app.get("/jobs?correlation_id=shared");
    for (const row of list.body.jobs) {
      expect(row.workflow_digest).toMatch(/^sha256:/);
      expect(row).toMatchObject({ workflow_version: expect.any(Number), seq: expect.any(Number) });
      expect(row["as_of"]).toMatch(/^\d{4}-.*Z$/);
    }
    const texts = [list.text, (await app.get(`/jobs/${jobs[0]?.job_id}`)).text];
    for (const text of texts) {
      expect(text).not.toMatch(/workflow_snapshot|workflow_source|"state"|"watch"|write_id/);
    }
  });

  test("a wrong filter is told by name, all at once", async () => {
    const answer = await app.get("/jobs?status=done&workflow_version=0&limit=201&color=red");
    expect(problemOf(answer)).toEqual([400, "BAD_REQUEST"]);
    expect(answer.body.issues.map(({ pointer = "none" }) => pointer).toSorted()).toEqual([
      "/color", "/limit", "/status", "/workflow_version",
    ]);
    const bad = ["continuation=%7B", "continuation=", "limit=0", "limit=x", "limit=1&limit=2"];
    for (const query of [...bad, "workflow_id=A!", "status=failed,done"]) {
      expect(problemOf(await app.get(`/jobs?${query}`))).toEqual([400, "BAD_REQUEST"]);
    }
  });

  test("a key in the query is not a filter", async () => {
    const answer = await app.call("GET", "/jobs?code=holdfast-local-key&limit=1", { key: null });
    expect(answer.status).toBe(200);
  });
});

describe("the same request twice", () => {
  const body = { workflow_id: "gone", input_params: { text: "a" }, idempotency_key: "key-1" };

  test("is the same job with its pins, even if its definition is gone", async () => {
    const first = await app.post("/jobs", body);
    expect(first.status).toBe(202);
    await app.ended(first.body.job_id);
    app.remove("gone.yaml");
    expect((await app.post("/jobs", { workflow_id: "gone" })).status).toBe(404);
    const { idempotency_key, ...rest } = body;
    const headers = { "idempotency-key": idempotency_key };
    const again = await app.call("POST", "/jobs", { body: rest, headers });
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({
      job_id: first.body.job_id,
      status: "completed",
      workflow_version: 1,
      workflow_digest: first.body.workflow_digest,
    });
    expect(again.headers.get("location")).toBe(first.headers.get("location"));
  });

  test("with another content is refused with both digests", async () => {
    for (const more of [{ input_params: { text: "b" } }, { version: 1 }, { tags: ["x"] }]) {
      const answer = await app.post("/jobs", { ...body, ...more });
      expect(problemOf(answer)).toEqual([409, "IDEMPOTENCY_CONFLICT"]);
      const digests = [answer.body["first_request"], answer.body["this_request"]];
      expect(digests).toEqual([expect.stringMatching(/^sha256:/), expect.stringMatching(/^sha/)]);
      expect(digests[0]).not.toBe(digests[1]);
    }
  });

  test("at once is one job", async () => {
    const same = { workflow_id: "say", idempotency_key: "at-once" };
    const answers = await Promise.all(Array.from({ length: 8 }, () => app.post("/jobs", same)));
    expect(new Set(answers.map(({ body: { job_id } }) => job_id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(7);
    await app.ended(answers[0]?.body.job_id ?? "");
    const { body: list } = await app.get("/jobs?idempotency_key=at-once");
    expect(list["count"]).toBe(1);
  });

  test("of two workflows are two jobs", async () => {
    const key = { idempotency_key: "two" };
    const answers = await Promise.all([
      app.post("/jobs", { workflow_id: "say", ...key }),
      app.post("/jobs", { workflow_id: "fails", ...key }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    const ids = answers.map(({ body: { job_id } }) => job_id);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) await app.ended(id);
  });

  test("a key may not differ between header and body, nor be empty or long", async () => {
    const differ = await app.call("POST", "/jobs", { body, headers: { "idempotency-key": "x" } });
    expect(problemOf(differ)).toEqual([400, "BAD_REQUEST"]);
    const long = { "idempotency-key": "x".repeat(257) };
    const header = await app.call("POST", "/jobs", { body: { workflow_id: "say" }, headers: long });
    expect(problemOf(header)).toEqual([400, "BAD_REQUEST"]);
    const empty = await app.post("/jobs", { workflow_id: "say", idempotency_key: "" });
    expect(problemOf(empty)).toEqual([400, "BAD_REQUEST"]);
  });
});

describe("cancelling", () => {
  test("ends a sleeping job at once; the rest never starts", async () => {
    const id = await sleeping();
    const first = await app.post(`/jobs/${id}/cancel`, { reason: "enough" });
    expect([first.status, first.body.job_id]).toEqual([202, id]);
    expect(first.headers.get("location")).toBe(`/api/v1/jobs/${id}`);
    const second = await app.call("POST", `/jobs/${id}/cancel`);
    expect([202, 409]).toContain(second.status);
    const job = await app.ended(id);
    expect(job.status).toBe("cancelled");
    expect(Object.fromEntries(job.nodes.map((node) => [node.node_id, node.status]))).toMatchObject({
      first: "completed",
      nap: "cancelled",
      after: "cancelled",
    });
    expect(job.result_data["first"]).toMatchObject({ message: 1, echoed: true });
    const events = await app.events(id);
    expect(events.filter(({ type }) => type === "job_cancelling")).toMatchObject([
      { requested_by: "key", error: { message: "cancelled by key: enough" } },
    ]);
    const third = await app.call("POST", `/jobs/${id}/cancel`);
    expect(problemOf(third)).toEqual([409, "JOB_TERMINAL"]);
    expect(third.body).toMatchObject({ job_status: "cancelled" });
  });

  test("takes a reason and nothing else", async () => {
    const id = await sleeping();
    const odd = await app.post(`/jobs/${id}/cancel`, { why: "x", reason: "" });
    expect(problemOf(odd)).toEqual([400, "BAD_REQUEST"]);
    expect((await app.job(id)).status).toBe("running");
    expect((await app.post(`/jobs/${id}/cancel`, {})).status).toBe(202);
    expect((await app.ended(id)).status).toBe("cancelled");
  });

  test("twenty at once is one cancel", async () => {
    const id = await sleeping();
    const calls = Array.from({ length: 20 }, () => app.call("POST", `/jobs/${id}/cancel`));
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.every((status) => status === 202 || status === 409)).toBe(true);
    expect(statuses).toContain(202);
    await app.ended(id);
    const cancelling = (await app.events(id)).filter(({ type }) => type === "job_cancelling");
    expect(cancelling).toHaveLength(1);
  });
});
