// Asking again for a job: its tag, 304 while nothing changed, and answers that are held until
// something has. Time moves only where a test moves it.
import { describe, expect, test } from "vitest";
import { HttpApp, MAX_WAITING } from "../../support/http-app.ts";
import type { Answered } from "../../support/http-app.ts";

const READS = ["jobs_get", "jobs_events", "jobs_timeline", "jobs_snapshot", "jobs_node"];

async function started(): Promise<{ readonly http: HttpApp; readonly job_id: string }> {
  const http = new HttpApp();
  return { http, job_id: await http.submit() };
}

function tagOf({ headers }: Answered): string {
  return headers["etag"] ?? "none";
}

describe("a tag", () => {
  test.each(READS)("%s has one: 304 without a body until the job moves", async (name) => {
    const { http, job_id } = await started();
    const params = { job_id, node_id: "t1" };
    const first = await http.call(name, { params });
    const known = { "if-none-match": tagOf(first) };
    const same = await http.call(name, { params, headers: known });
    expect([same.status, same.text, tagOf(same)]).toEqual([304, "", tagOf(first)]);
    await http.runtime.runToEnd(job_id);
    const moved = await http.call(name, { params, headers: known });
    expect(moved.status).toBe(200);
    expect(tagOf(moved)).not.toBe(tagOf(first));
  });

  test("is compared as RFC 9110 has it: weakly, in a list, and * for anything", async () => {
    const { http, job_id } = await started();
    const tag = tagOf(await http.call("jobs_get", { params: { job_id } }));
    const strong = tag.replace("W/", "");
    for (const [given, status] of [
      [strong, 304],
      [`"other", ${tag}`, 304],
      ["*", 304],
      ['"other"', 200],
      ["", 200],
    ] as const) {
      const headers = { "if-none-match": given };
      const answer = await http.call("jobs_get", { params: { job_id }, headers });
      expect([given, answer.status]).toEqual([given, status]);
    }
  });

  test("of one build means nothing to another: it may show the same state otherwise", async () => {
    const { http, job_id } = await started();
    const first = await http.call("jobs_get", { params: { job_id } });
    Object.assign(http.app.engine, { build: "holdfast@9.9.9+abc" });
    const headers = { "if-none-match": tagOf(first) };
    expect((await http.call("jobs_get", { params: { job_id }, headers })).status).toBe(200);
  });
});

describe("an answer that is held", () => {
  test("comes when the job has ended", async () => {
    const { http, job_id } = await started();
    const waiting = http.call("jobs_get", { params: { job_id }, query: { wait: "20" } });
    await http.runtime.runToEnd(job_id);
    await http.runtime.clock.advance(1_000);
    const { status, body } = await waiting;
    expect([status, body["status"], body["percent_complete"]]).toEqual([200, "completed", 100]);
  });

  test("comes at the first change from a known state", async () => {
    const { http, job_id } = await started();
    const known = { "if-none-match": tagOf(await http.call("jobs_get", { params: { job_id } })) };
    const query = { wait: "20" };
    const waiting = http.call("jobs_get", { params: { job_id }, headers: known, query });
    await http.runtime.run(() => http.runtime.entries(job_id).length > 1);
    await http.runtime.clock.advance(1_000);
    expect((await waiting).status).toBe(200);
  });

  test("comes after its time, with what is true: 304 where that is known", async () => {
    const { http, job_id } = await started();
    const began = http.runtime.clock.now();
    const plain = http.call("jobs_get", { params: { job_id }, query: { wait: "3" } });
    await http.runtime.clock.advance(2_999);
    let isAnswered = false;
    void plain.then(() => (isAnswered = true));
    await http.runtime.clock.advance(0);
    expect(isAnswered).toBe(false);
    await http.runtime.clock.advance(1);
    const answer = await plain;
    expect([answer.status, answer.body["status"]]).toEqual([200, "pending"]);
    expect(answer.headers["retry-after"]).toBe("1");
    expect(http.runtime.clock.now() > began).toBe(true);
    const known = { "if-none-match": tagOf(answer) };
    const query = { wait: "1" };
    const same = http.call("jobs_get", { params: { job_id }, headers: known, query });
    await http.runtime.clock.advance(1_000);
    expect((await same).status).toBe(304);
  });

  test("costs one point read a look, and an ended job none", async () => {
    const { http, job_id } = await started();
    http.runtime.store.resetRequests();
    const waiting = http.call("jobs_get", { params: { job_id }, query: { wait: "20" } });
    await http.runtime.clock.advance(20_000);
    await waiting;
    // 1 of the projection, 1 of the entry after it, then 5 looks in 1.5 s and 1 a second.
    const looks = 2 + 5 + 19;
    expect(http.runtime.store.requestCount).toBeLessThanOrEqual(looks + 1);
    expect(http.runtime.store.requestCount).toBeGreaterThan(20);
    await http.runtime.runToEnd(job_id);
    http.runtime.store.resetRequests();
    await http.call("jobs_get", { params: { job_id }, query: { wait: "20" } });
    expect(http.runtime.store.requestCount).toBe(1);
  });

  test("is held no longer where the store is slow", async () => {
    const { http, job_id } = await started();
    http.runtime.gate.latencyMs = ({ operation }) => (operation === "journal.read" ? 900 : 0);
    let isAnswered = false;
    const waiting = http.call("jobs_get", { params: { job_id }, query: { wait: "10" } });
    void waiting.then(() => (isAnswered = true));
    await http.runtime.clock.advance(12_000);
    expect(isAnswered).toBe(true);
    expect((await waiting).body["status"]).toBe("pending");
  });

  test("is not held where as many as may be are held already", async () => {
    const { http, job_id } = await started();
    const ask = () => http.call("jobs_get", { params: { job_id }, query: { wait: "5" } });
    const held = Array.from({ length: MAX_WAITING }, ask);
    await http.runtime.clock.advance(50);
    expect(http.app.waits.waiting).toBe(MAX_WAITING);
    expect((await ask()).body["status"]).toBe("pending");
    await http.runtime.clock.advance(5_000);
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual(held.map(() => 200));
    expect(http.app.waits.waiting).toBe(0);
  });

  test.each(["31", "-1", "1.5", "long", ""])("wait=%s is refused", async (wait) => {
    const { http, job_id } = await started();
    const { status, body } = await http.call("jobs_get", { params: { job_id }, query: { wait } });
    expect([status, body["code"]]).toEqual([400, "BAD_REQUEST"]);
  });
});

describe("the history", () => {
  test("comes in pages that join to the whole", async () => {
    const { http, job_id } = await started();
    await http.runtime.runToEnd(job_id);
    const whole = await http.call("jobs_events", { params: { job_id } });
    expect(whole.body["has_more"]).toBe(false);
    const joined: unknown[] = [];
    let query: Record<string, string> = { limit: "1" };
    for (;;) {
      const { body } = await http.call("jobs_events", { params: { job_id }, query });
      joined.push(...(body["events"] as readonly unknown[]));
      if (body["has_more"] !== true) break;
      query = { limit: "1", after: String(body["seq"]) };
    }
    expect(joined).toEqual(whole.body["events"]);
  });

  test("after its end is empty, and says so", async () => {
    const { http, job_id } = await started();
    await http.runtime.runToEnd(job_id);
    const { body } = await http.call("jobs_events", { params: { job_id }, query: { after: "99" } });
    expect(body).toMatchObject({ seq: 99, has_more: false, count: 0, events: [] });
  });

  test("is held until there is an entry after the one that is known", async () => {
    const { http, job_id } = await started();
    const query = { after: "0", wait: "20" };
    const waiting = http.call("jobs_events", { params: { job_id }, query });
    await http.runtime.run(() => http.runtime.entries(job_id).length > 1);
    await http.runtime.clock.advance(1_000);
    const { body } = await waiting;
    expect(body["seq"]).toBeGreaterThan(0);
    expect((body["events"] as readonly { seq: number }[]).every(({ seq }) => seq > 0)).toBe(true);
  });
});
