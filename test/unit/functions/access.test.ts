// Who may do what, on every route: nobody, a plain caller, the owner, an administrator. A job of
// somebody else answers exactly as one that never was, and no check costs a request of its own.
import { beforeAll, describe, expect, test } from "vitest";
import { ROUTES } from "../../../src/functions/routes.ts";
import type { Answered, Sent } from "../../support/http-app.ts";
import { HttpApp, PLATFORM, principal, isOpen } from "../../support/http-app.ts";

const ANN = principal("ann");
const BEN = principal("ben");
const ADMIN = principal("root", ["Holdfast.Admin"]);
const ABSENT = "01890000-0000-7000-8000-000000000000";
const NAMES = ROUTES.map(({ name }) => name);

/** The routes below one job; each would show or change it. */
const JOB_ROUTES = ROUTES.filter(({ route }) => route.includes("{job_id}")).map(({ name }) => name);

function requestFor(name: string, jobId: string): Sent {
  const params = { job_id: jobId, node_id: "t1", workflow_id: "chain", path: "nowhere" };
  const body = { workflow_id: "chain" };
  if (name === "jobs_submit" || name === "jobs_validate") return { params, body };
  if (name === "jobs_batch") return { params, body: { jobs: [body] } };
  if (name === "bootstrap_rebuild") return { params, query: { confirm: "DESTROY" } };
  return { params };
}

test("only health and files are open, and only the rebuild asks for the master key", () => {
  for (const { name, authLevel } of ROUTES) {
    const expected = isOpen(name) ? "anonymous" : "function";
    expect([name, authLevel]).toEqual([name, name === "bootstrap_rebuild" ? "admin" : expected]);
  }
  expect(JOB_ROUTES).toHaveLength(8);
});

test("no route stores a definition: publishing is a deployment", () => {
  const writes = ROUTES.filter(({ methods }) => methods.some((one) => one !== "GET"));
  expect(writes.map(({ name }) => name)).toEqual([
    "jobs_submit",
    "jobs_batch",
    "jobs_validate",
    "jobs_cancel",
    "workflows_validate",
    "bootstrap_rebuild",
    "zz_not_found",
  ]);
});

describe("with sign-in, every route asks for a principal", () => {
  const http = new HttpApp({ auth: PLATFORM, allowRebuild: true });
  let jobId: string;
  beforeAll(async () => {
    jobId = await http.submit(ANN);
  });

  const forged = { ...ANN, "x-ms-client-principal": "e30=" };
  const idOnly = { "x-ms-client-principal-id": "ann" };
  test.each(NAMES)("%s", async (name) => {
    const requests = http.runtime.store.requestCount;
    for (const headers of [{}, forged, idOnly, { authorization: "Bearer x" }]) {
      const answer = await http.call(name, { ...requestFor(name, jobId), headers });
      if (isOpen(name)) expect([name, answer.status]).toEqual([name, 200]);
      else {
        expect([name, answer.status, answer.body["code"]]).toEqual([name, 401, "UNAUTHENTICATED"]);
        expect(answer.headers["www-authenticate"]).toBe("Bearer");
      }
    }
    expect(http.runtime.store.requestCount).toBe(requests);
  });
});

describe("with sign-in, by role", () => {
  /** Status for another caller, the owner and an administrator. */
  const MATRIX: Readonly<Record<string, readonly [number, number, number]>> = {
    jobs_submit: [202, 202, 202],
    jobs_batch: [200, 200, 200],
    jobs_validate: [200, 200, 200],
    jobs_list: [200, 200, 200],
    jobs_get: [404, 200, 200],
    jobs_events: [404, 200, 200],
    jobs_node: [404, 200, 200],
    jobs_timeline: [404, 200, 200],
    jobs_snapshot: [404, 200, 200],
    jobs_result: [404, 200, 200],
    jobs_provenance: [404, 200, 200],
    jobs_cancel: [404, 409, 409],
    workflows_list: [200, 200, 200],
    workflows_get: [404, 404, 404],
    workflows_validate: [200, 200, 200],
    handlers_list: [200, 200, 200],
    stats_get: [403, 403, 200],
    health_live: [200, 200, 200],
    health_ready: [200, 200, 200],
    api_document: [200, 200, 200],
    api_page: [200, 200, 200],
    api_style: [200, 200, 200],
    ui: [200, 200, 200],
    ui_script: [200, 200, 200],
    ui_style: [200, 200, 200],
    ui_icon: [200, 200, 200],
    bootstrap_rebuild: [403, 403, 200],
    zz_not_found: [404, 404, 404],
  };

  test("the matrix has every route", () => {
    expect(Object.keys(MATRIX)).toEqual(NAMES);
  });

  test.each(NAMES)("%s", async (name) => {
    const http = new HttpApp({ auth: PLATFORM, allowRebuild: true });
    const jobId = await http.submit(ANN);
    await http.runtime.runToEnd(jobId);
    const statuses: number[] = [];
    for (const headers of [BEN, ANN, ADMIN]) {
      const { status } = await http.call(name, { ...requestFor(name, jobId), headers });
      statuses.push(status);
    }
    expect(statuses).toEqual(MATRIX[name]);
  });

  test("the rebuild of a caller without the role touches nothing", async () => {
    const http = new HttpApp({ auth: PLATFORM, allowRebuild: true });
    const jobId = await http.submit(ANN);
    const answer = await http.call("bootstrap_rebuild", {
      ...requestFor("bootstrap_rebuild", jobId),
      headers: ANN,
    });
    expect(answer.body["code"]).toBe("ROLE_REQUIRED");
    expect(http.runtime.status(jobId)).toBe("pending");
  });

  test("owner and administrator cancel a live job, another caller changes nothing", async () => {
    const http = new HttpApp({ auth: PLATFORM });
    const [first, second] = [await http.submit(ANN), await http.submit(ANN)];
    const before = http.runtime.entries(first).length;
    const foreign = await http.call("jobs_cancel", { params: { job_id: first }, headers: BEN });
    expect(foreign.status).toBe(404);
    expect(http.runtime.entries(first)).toHaveLength(before);
    expect(http.runtime.status(first)).toBe("pending");
    const own = await http.call("jobs_cancel", { params: { job_id: first }, headers: ANN });
    const others = await http.call("jobs_cancel", { params: { job_id: second }, headers: ADMIN });
    expect([own.status, others.status]).toEqual([202, 202]);
    expect(http.runtime.entries(second).at(-1)).toMatchObject({ job_id: second });
    expect(JSON.stringify(http.runtime.entries(second))).toContain("principal:root");
  });
});

describe("a job of somebody else", () => {
  const http = new HttpApp({ auth: PLATFORM });
  let jobId: string;
  beforeAll(async () => {
    jobId = await http.submit(ANN);
    await http.runtime.runToEnd(jobId);
  });

  async function asked(name: string, id: string, headers: Record<string, string>) {
    http.runtime.store.resetRequests();
    const answer = await http.call(name, { ...requestFor(name, id), headers });
    return { answer, requests: Object.fromEntries(http.runtime.store.requests) };
  }
  const told = ({ status, text, headers }: Answered, id: string) => ({
    status,
    headers,
    text: text.replaceAll(id, "the id"),
  });

  test.each(JOB_ROUTES)("%s answers as for an id that was never used", async (name) => {
    const foreign = await asked(name, jobId, BEN);
    const absent = await asked(name, ABSENT, BEN);
    expect(foreign.answer.body["code"]).toBe("JOB_NOT_FOUND");
    expect(told(foreign.answer, jobId)).toEqual(told(absent.answer, ABSENT));
    if (name !== "jobs_cancel") expect(foreign.requests).toEqual(absent.requests);
  });

  test("the check costs no request: owner, administrator and key read alike", async () => {
    const open = new HttpApp();
    const keyed = await open.submit();
    await open.runtime.runToEnd(keyed);
    for (const name of JOB_ROUTES.filter((one) => one !== "jobs_cancel")) {
      open.runtime.store.resetRequests();
      await open.call(name, requestFor(name, keyed));
      const withKey = Object.fromEntries(open.runtime.store.requests);
      for (const headers of [ANN, ADMIN]) {
        expect([name, (await asked(name, jobId, headers)).requests]).toEqual([name, withKey]);
      }
    }
  });

  test("a job document without an owner is nobody's", async () => {
    const other = new HttpApp({ auth: PLATFORM });
    const id = await other.submit(ANN);
    const stored = await other.runtime.store.jobs.read(id);
    if (stored === undefined) throw new Error("no job");
    const { authenticated_as: _owner, ...rest } = stored.document;
    await other.runtime.store.jobs.replace(rest as typeof stored.document, stored.etag);
    const mine = await other.call("jobs_get", { params: { job_id: id }, headers: ANN });
    const all = await other.call("jobs_get", { params: { job_id: id }, headers: ADMIN });
    expect([mine.status, all.status]).toEqual([404, 200]);
  });
});

describe("lists", () => {
  test("show a caller the own jobs, page by page, and an administrator all", async () => {
    const http = new HttpApp({ auth: PLATFORM });
    const own: string[] = [];
    for (let index = 0; index < 3; index += 1) {
      await http.submit(BEN);
      await http.runtime.clock.advance(10);
      own.push(await http.submit(ANN));
      await http.runtime.clock.advance(10);
    }
    const ids = ({ body }: Answered) =>
      (body["jobs"] as readonly { job_id: string }[]).map(({ job_id }) => job_id);
    const first = await http.call("jobs_list", { headers: ANN, query: { limit: "2" } });
    const continuation = String(first.body["continuation"]);
    const query = { limit: "2", continuation };
    const second = await http.call("jobs_list", { headers: ANN, query });
    expect([...ids(first), ...ids(second)]).toEqual(own.toReversed());
    // A continuation belongs to its list: that of somebody else is refused.
    const stolen = await http.call("jobs_list", { headers: principal("mallory"), query });
    expect(stolen.body["code"]).toBe("BAD_REQUEST");
    expect(ids(await http.call("jobs_list", { headers: ADMIN }))).toHaveLength(6);
  });

  test("take no filter that would widen them", async () => {
    const http = new HttpApp({ auth: PLATFORM });
    await http.submit(ANN);
    const query = { authenticated_as: "principal:ann" };
    const answer = await http.call("jobs_list", { headers: BEN, query });
    expect(answer.body["code"]).toBe("BAD_REQUEST");
  });
});

describe("idempotency keys", () => {
  test("belong to one caller: the same key of another makes another job", async () => {
    const http = new HttpApp({ auth: PLATFORM });
    const first = await http.submit({ ...ANN, "idempotency-key": "k" });
    const other = await http.submit({ ...BEN, "idempotency-key": "k" }, { tags: ["x"] });
    expect(other).not.toBe(first);
    const body = { workflow_id: "chain" };
    const again = await http.call("jobs_submit", {
      headers: { ...ANN, "idempotency-key": "k" },
      body,
    });
    expect([again.status, again.body["job_id"]]).toEqual([200, first]);
  });

  test("a caller cannot take over another's job by naming it in the body", async () => {
    const http = new HttpApp({ auth: PLATFORM });
    const first = await http.submit({ ...ANN, "idempotency-key": "k" });
    const forged = { submitted_by: "principal:ann", idempotency_key: "k" };
    expect(await http.submit(BEN, forged)).not.toBe(first);
    const named = { workflow_id: "chain", authenticated_as: "principal:ann" };
    const answer = await http.call("jobs_submit", { headers: BEN, body: named });
    expect(answer.body["code"]).toBe("BAD_REQUEST");
  });
});

describe("without sign-in", () => {
  const http = new HttpApp();
  let jobId: string;
  beforeAll(async () => {
    jobId = await http.submit(principal("ann"));
  });

  test.each(NAMES.filter((name) => name !== "bootstrap_rebuild"))(
    "%s gives a forged principal nothing and takes nothing away",
    async (name) => {
      const plain = await http.call(name, requestFor(name, jobId));
      for (const headers of [principal("mallory"), principal("mallory", ["Holdfast.Admin"])]) {
        const answer = await http.call(name, { ...requestFor(name, jobId), headers });
        const isCancel = name === "jobs_cancel";
        expect(answer.status).toBe(isCancel && plain.status === 202 ? 409 : plain.status);
        expect(answer.text).not.toContain("mallory");
      }
    },
  );

  test("the caller is recorded as key, whatever the headers say", () => {
    const [entry] = http.runtime.entries(jobId);
    expect(JSON.stringify(entry)).toContain('"authenticated_as":"key"');
    expect(JSON.stringify(entry)).not.toContain("ann");
  });
});
