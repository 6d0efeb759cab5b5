// Query parameters: every route takes its own and no others; the host's `code` may stand anywhere.
import { describe, expect, test } from "vitest";
import { MAX_ISSUES } from "../../../src/core/limits.ts";
import { ROUTES } from "../../../src/functions/routes.ts";
import type { Sent } from "../../support/http-app.ts";
import { HttpApp, isOpen, PLATFORM, routeOf } from "../../support/http-app.ts";

const http = new HttpApp({ allowRebuild: true });
const NAMES = ROUTES.map(({ name }) => name).filter((name) => name !== "zz_not_found");
const TAKEN: Readonly<Record<string, string>> = {
  jobs_submit: "dry_run",
  jobs_get: "wait",
  jobs_events: "after, limit, wait",
  jobs_list:
    "status, workflow_id, workflow_version, workflow_digest, correlation_id, idempotency_key, " +
    "tag, submitted_by, created_from, created_before, sort, limit, continuation",
  bootstrap_rebuild: "confirm",
};

async function sent(name: string, query: Sent["query"] & object) {
  const params = { job_id: await http.submit(), node_id: "t1", workflow_id: "chain" };
  const isPost = routeOf(name).methods.includes("POST");
  return http.call(name, { params, query, ...(isPost ? { body: { workflow_id: "chain" } } : {}) });
}

describe("every route", () => {
  test.each(NAMES)("%s refuses an unknown parameter and says what it takes", async (name) => {
    const answer = await sent(name, { nope: "c4nary", code: "key" });
    const takes = name in TAKEN ? `expected ${TAKEN[name]}` : "this route takes none";
    expect([answer.status, answer.body["code"]]).toEqual([400, "BAD_REQUEST"]);
    expect(answer.body["issues"]).toEqual([
      { message: `unknown query parameter "nope": ${takes}`, pointer: "/nope" },
    ]);
    expect(answer.text).not.toContain("c4nary");
  });

  test.each(NAMES)("%s answers as without a query where only a key is in it", async (name) => {
    const [bare, keyed] = [await sent(name, {}), await sent(name, { code: "key" })];
    expect([keyed.status, keyed.body["code"]]).toEqual([bare.status, bare.body["code"]]);
    expect(keyed.text).not.toContain("query parameter");
  });
});

test.each([
  ["jobs_list", "limt", "limit"],
  ["jobs_list", "Status", "status"],
  ["bootstrap_rebuild", "comfirm", "confirm"],
])("%s?%s= is told %s", async (name, wrong, meant) => {
  const { body } = await sent(name, { [wrong]: "DESTROY" });
  expect(body["issues"]).toMatchObject([{ hint: `did you mean "${meant}"?` }]);
});

test("a parameter that stands twice is refused by name", async () => {
  const search = "?limit=1&status=failed&limit=200&status=completed&code=a&code=b";
  const query = { limit: "1,200", status: "failed,completed", code: "a,b" };
  const { status, body } = await http.call("jobs_list", { search, query });
  const message = "this query parameter stands twice; which of the two is meant?";
  expect([status, body["issues"]]).toEqual([
    400,
    [
      { message, pointer: "/status" },
      { message, pointer: "/limit" },
    ],
  ]);
});

test("a parameter too much keeps a request from having an effect", async () => {
  const before = http.runtime.store.allJobs().length;
  const body = { workflow_id: "chain" };
  const answer = await http.call("jobs_submit", { body, query: { dry_runs: "true" } });
  expect(answer.status).toBe(400);
  expect(http.runtime.store.allJobs()).toHaveLength(before);
});

test("who calls is asked first: a stranger learns of no parameter", async () => {
  const closed = new HttpApp({ auth: PLATFORM });
  const open = NAMES.filter((name) => !isOpen(name));
  for (const name of open) {
    const { status } = await closed.call(name, { query: { nope: "1" } });
    expect([name, status]).toEqual([name, 401]);
  }
});

test("of thousands of parameters a hundred are listed", async () => {
  const names = Array.from({ length: 3000 }, (_, index) => [`limit${index}`, "1"] as const);
  const { body, text } = await sent("jobs_list", Object.fromEntries(names));
  expect(body["issues"]).toHaveLength(MAX_ISSUES + 1);
  expect(text.length).toBeLessThan(50_000);
});

test("a path that is no route stays unknown, whatever its query", async () => {
  const { status, body } = await http.call("zz_not_found", { query: { nope: "1" } });
  expect([status, body["code"]]).toEqual([404, "ROUTE_NOT_FOUND"]);
});
