// Batches, dry runs and checks: each submission for itself, nothing created where nothing is meant
// to be, everything that speaks against one told at once.
import { describe, expect, test } from "vitest";
import { MAX_BATCH } from "../../../src/api/requests.ts";
import { HttpApp, PLATFORM, principal } from "../../support/http-app.ts";
import { workflow, task } from "../../support/shapes.ts";

const ONE = { workflow_id: "chain" };

interface Item {
  readonly index: number;
  readonly status: number;
  readonly job?: { readonly job_id: string; readonly status: string };
  readonly problem?: { readonly code: string; readonly issues?: readonly unknown[] };
}

function counts(http: HttpApp): readonly [number, number] {
  return [http.runtime.store.allJobs().length, http.runtime.queue.length];
}

describe("a batch", () => {
  test("starts what it can; what is refused stops no other, and stands at its place", async () => {
    const http = new HttpApp();
    const jobs = [ONE, { workflow_id: "none" }, { ...ONE, extra: 1 }, 7, ONE];
    const { status, body } = await http.call("jobs_batch", { body: { jobs } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ count: 5, accepted: 2, repeated: 0, refused: 3 });
    const items = body["items"] as readonly Item[];
    expect(items.map(({ index, status: one }) => [index, one])).toEqual([
      [0, 202],
      [1, 404],
      [2, 400],
      [3, 400],
      [4, 202],
    ]);
    expect(items[2]?.problem?.issues).toEqual([
      { message: 'unknown field "extra"', pointer: "/extra" },
    ]);
    const ids = items.flatMap(({ job }) => (job === undefined ? [] : [job.job_id]));
    for (const id of ids) expect(await http.runtime.runToEnd(id)).toBe("completed");
    expect(new Set(ids).size).toBe(2);
  });

  test("sent again with its keys makes nothing new", async () => {
    const http = new HttpApp();
    const jobs = ["a", "b", "c"].map((idempotency_key) => ({ ...ONE, idempotency_key }));
    const first = await http.call("jobs_batch", { body: { jobs } });
    const before = counts(http)[0];
    const again = await http.call("jobs_batch", { body: { jobs } });
    expect(again.body).toMatchObject({ accepted: 0, repeated: 3, refused: 0 });
    expect(counts(http)[0]).toBe(before);
    const ids = ({ body }: typeof first) =>
      (body["items"] as readonly Item[]).map(({ job }) => job?.job_id);
    expect(ids(again)).toEqual(ids(first));
  });

  test("the same key twice in one batch gives one job", async () => {
    const http = new HttpApp();
    const job = { ...ONE, idempotency_key: "a" };
    const jobs = [job, job, { ...job, tags: [] }];
    const { body } = await http.call("jobs_batch", { body: { jobs } });
    expect(body).toMatchObject({ count: 3, refused: 1 });
    expect(counts(http)[0]).toBe(1);
  });

  test.each([
    ["none", { jobs: [] }],
    ["too many", { jobs: Array.from({ length: MAX_BATCH + 1 }, () => ONE) }],
    ["no list", { jobs: ONE }],
    ["another name", { job: [ONE] }],
  ])("of %s is refused whole", async (_what, body) => {
    const http = new HttpApp();
    const answer = await http.call("jobs_batch", { body });
    expect([answer.status, answer.body["code"]]).toEqual([400, "BAD_REQUEST"]);
    expect(counts(http)).toEqual([0, 0]);
  });

  test("of a hundred is accepted, and counts as a hundred for the brake", async () => {
    const http = new HttpApp({ submitPerMinute: 150 });
    const jobs = Array.from({ length: MAX_BATCH }, () => ONE);
    const { body } = await http.call("jobs_batch", { body: { jobs } });
    expect(body["accepted"]).toBe(MAX_BATCH);
    expect((await http.call("jobs_batch", { body: { jobs } })).status).toBe(200);
    const refused = await http.call("jobs_submit", { body: ONE });
    expect(refused.body["code"]).toBe("RATE_LIMITED");
  });

  test("a store that is down is told for each, and logged", async () => {
    const http = new HttpApp();
    Object.assign(http.app.submitter, {
      catalog: { find: () => Promise.reject(new Error("a secret of the store")) },
    });
    const { status, body, text } = await http.call("jobs_batch", { body: { jobs: [ONE] } });
    expect(status).toBe(200);
    expect((body["items"] as readonly Item[])[0]).toMatchObject({ index: 0, status: 500 });
    expect(text).not.toContain("a secret");
  });
});

describe("a dry run", () => {
  test("says what the job would be pinned to, and creates nothing", async () => {
    const http = new HttpApp();
    const answer = await http.call("jobs_submit", { body: ONE, query: { dry_run: "true" } });
    expect(answer.body).toMatchObject({ dry_run: true, would: "create", inputs: {}, vars: {} });
    expect(counts(http)).toEqual([0, 0]);
    expect(http.runtime.store.requestCount).toBeLessThanOrEqual(1);
    const real = await http.call("jobs_submit", { body: ONE, query: { dry_run: "false" } });
    expect(real.body["workflow_digest"]).toBe(answer.body["workflow_digest"]);
  });

  test("is refused as the submission would be", async () => {
    const http = new HttpApp();
    for (const body of [{ workflow_id: "none" }, { ...ONE, input_params: { a: 1 } }]) {
      const real = await http.call("jobs_submit", { body });
      const dry = await http.call("jobs_submit", { body, query: { dry_run: "true" } });
      expect([dry.status, dry.body]).toEqual([real.status, real.body]);
    }
  });

  test("names the job that its key names already, or the conflict", async () => {
    const http = new HttpApp();
    const body = { ...ONE, idempotency_key: "a" };
    const job_id = await http.submit({}, body);
    const dry = (more: object) =>
      http.call("jobs_submit", { body: { ...body, ...more }, query: { dry_run: "true" } });
    expect((await dry({})).body).toMatchObject({ would: "answer", job_id });
    expect((await dry({ tags: ["x"] })).body["code"]).toBe("IDEMPOTENCY_CONFLICT");
  });

  test("says TOO_MANY_JOBS and takes no place", async () => {
    const http = new HttpApp({ maxOpenJobs: 1 });
    await http.submit();
    const dry = await http.call("jobs_submit", { body: ONE, query: { dry_run: "true" } });
    expect(dry.body["code"]).toBe("TOO_MANY_JOBS");
  });
});

describe("a check", () => {
  test("tells everything that speaks against a submission, with codes and places", async () => {
    const http = new HttpApp();
    const nodes = {
      start: { type: "start", next: "t" },
      t: task("end", { params: { a: "{{ secrets.KEY }}" } }),
      end: { type: "end" },
    };
    const more = { inputs: { n: { type: "integer", required: true } }, secrets: ["KEY"] };
    http.runtime.catalog.put(workflow("needy", nodes, more));
    const body = { workflow_id: "needy", input_params: { n: "x", m: 1 } };
    const { status, body: answer } = await http.call("jobs_validate", { body });
    expect(status).toBe(200);
    const issues = answer["issues"] as readonly { code: string; pointer?: string }[];
    expect(issues.map(({ code, pointer }) => [code, pointer])).toEqual([
      ["INPUT_INVALID", "/input_params/m"],
      ["INPUT_INVALID", "/input_params/n"],
      ["SECRET_MISSING", undefined],
    ]);
    expect(counts(http)).toEqual([0, 0]);
  });

  test("is good where a job could start, new or known", async () => {
    const http = new HttpApp();
    const body = { ...ONE, idempotency_key: "a" };
    const ask = async () => (await http.call("jobs_validate", { body })).body;
    expect(await ask()).toMatchObject({ valid: true });
    const job_id = await http.submit({}, body);
    expect(await ask()).toMatchObject({ valid: true, job_id });
    const other = await http.call("jobs_validate", { body: { ...body, tags: ["x"] } });
    expect(other.body).toMatchObject({
      valid: false,
      issues: [{ code: "IDEMPOTENCY_CONFLICT" }],
    });
  });

  test("by one caller tells nothing of another's key", async () => {
    const http = new HttpApp({ auth: PLATFORM });
    const body = { ...ONE, idempotency_key: "a" };
    await http.submit(principal("ann"), body);
    const { body: answer } = await http.call("jobs_validate", {
      headers: principal("ben"),
      body: { ...body, tags: ["x"] },
    });
    expect(answer).toMatchObject({ valid: true });
    expect(answer).not.toHaveProperty("job_id");
  });
});

test("a name that stands twice is refused with its place, wherever a body is JSON", async () => {
  const http = new HttpApp();
  const body = '{"workflow_id": "chain", "tags": ["a"], "input_params": {"a": 1, "\\u0061": 2}}';
  for (const name of ["jobs_submit", "jobs_validate"]) {
    const headers = { "content-type": "application/json" };
    const answer = await http.call(name, { body, headers });
    expect(answer.body["issues"]).toEqual([
      {
        message: "this name stands twice in its object; which of the two is meant?",
        pointer: "/input_params/a",
      },
    ]);
  }
  expect(counts(http)).toEqual([0, 0]);
});

test("a body that is all depth is refused at once, whatever else is wrong in it", async () => {
  const http = new HttpApp();
  const twice = Array.from({ length: 100 }, () => '"a":1').join(",");
  const body = `${"[".repeat(200_000)}{${twice}}${"]".repeat(200_000)}`;
  const headers = { "content-type": "application/json" };
  const answer = await http.call("jobs_submit", { body, headers });
  expect([answer.status, answer.body["issues"]]).toEqual([
    400,
    [{ message: expect.stringContaining("nested deeper"), pointer: expect.any(String) }],
  ]);
});

test("an integer that would be rounded is refused with its place, and kept as a text", async () => {
  const http = new HttpApp();
  const headers = { "content-type": "application/json" };
  const body = '{"workflow_id": "chain", "input_params": {"a": {"order": 9007199254740993}}}';
  const answer = await http.call("jobs_submit", { body, headers });
  expect([answer.status, answer.body["issues"]]).toEqual([
    400,
    [
      {
        message: "the integer 9007199254740993 cannot be kept exactly: send it as a text",
        pointer: "/input_params/a/order",
      },
    ],
  ]);
  expect(counts(http)).toEqual([0, 0]);
});
