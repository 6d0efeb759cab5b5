// Bodies: counted as they stream, whatever their headers claim; JSON without a key that could reach
// a prototype, at any depth; and no throw that is not one of ours.
import { HttpRequest } from "@azure/functions";
import { describe, expect, test } from "vitest";
import { MAX_BODY_BYTES, MAX_SOURCE_BYTES } from "../../../src/core/limits.ts";
import type { Answered } from "../../support/http-app.ts";
import { HttpApp } from "../../support/http-app.ts";

const URLS = {
  jobs_submit: "https://a.example/api/v1/jobs",
  workflows_validate: "https://a.example/api/v1/workflows/validate",
} as const;

/** A body that never ends, and what was taken of it. */
function endless(chunk: Uint8Array) {
  const seen = { bytes: 0, isCancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      seen.bytes += chunk.byteLength;
      controller.enqueue(chunk);
    },
    cancel() {
      seen.isCancelled = true;
    },
  });
  return { seen, stream };
}

/** As the library makes a request of one that streams. */
function streamed(
  name: keyof typeof URLS,
  body: ReadableStream,
  headers: Readonly<Record<string, string>> = {},
): HttpRequest {
  const init = { method: "POST", body, headers, duplex: "half" };
  const nativeRequest = new Request(URLS[name], init as RequestInit);
  return new HttpRequest({ nativeRequest } as never);
}

const json = { "content-type": "application/json" };
const http = new HttpApp();

function code({ status, body }: Answered): readonly [number, unknown] {
  return [status, body["code"]];
}

describe("a body without end", () => {
  const lies = [{}, ...["2", "-1", "x"].map((length) => ({ "content-length": length }))];

  test.each(lies)("is read to the limit and no further, with headers %j", async (more) => {
    const { seen, stream } = endless(new Uint8Array(16 * 1024).fill(0x20));
    const request = streamed("jobs_submit", stream, { ...json, ...more });
    expect(code(await http.send("jobs_submit", request))).toEqual([413, "BODY_TOO_LARGE"]);
    expect(seen.isCancelled).toBe(true);
    expect(seen.bytes).toBeLessThanOrEqual(MAX_BODY_BYTES + 3 * 16 * 1024);
  });

  test("has the smaller limit of YAML where YAML is expected", async () => {
    const { seen, stream } = endless(new Uint8Array(1024).fill(0x23));
    const request = streamed("workflows_validate", stream);
    const answer = await http.send("workflows_validate", request);
    expect(code(answer)).toEqual([413, "BODY_TOO_LARGE"]);
    expect(seen.bytes).toBeLessThanOrEqual(MAX_SOURCE_BYTES + 3 * 1024);
  });

  test("a length that was declared too large is refused before a byte is read", async () => {
    const { seen, stream } = endless(new Uint8Array(1024));
    const before = { ...seen };
    const headers = { ...json, "content-length": String(MAX_BODY_BYTES + 1) };
    const request = streamed("jobs_submit", stream, headers);
    // The stream fills its own queue by one chunk as soon as it is made.
    before.bytes = seen.bytes;
    expect(code(await http.send("jobs_submit", request))).toEqual([413, "BODY_TOO_LARGE"]);
    expect(seen.bytes).toBeLessThanOrEqual(before.bytes + 1024);
  });
});

test("a body that is cut off, or whose chunks are no bytes, is the client's mistake", async () => {
  const cut = new ReadableStream({
    start: (controller) => controller.error(new Error("ECONNRESET 10.0.0.7")),
  });
  const broken = await http.send("jobs_submit", streamed("jobs_submit", cut, json));
  expect(code(broken)).toEqual([400, "BAD_REQUEST"]);
  expect(broken.text).not.toContain("10.0.0.7");
});

test("exactly the limit is read, one byte more is not", async () => {
  const good = JSON.stringify({ workflow_id: "chain" });
  const full = good + " ".repeat(MAX_BODY_BYTES - good.length);
  const sent = (body: string) => http.call("jobs_submit", { headers: json, body });
  expect((await sent(full)).status).toBe(202);
  expect(code(await sent(`${full} `))).toEqual([413, "BODY_TOO_LARGE"]);
  // Counted in bytes, not in characters.
  const wide = `{"workflow_id": "chain", "pad": "${"é".repeat(MAX_BODY_BYTES / 2)}"}`;
  expect(code(await sent(wide))).toEqual([413, "BODY_TOO_LARGE"]);
});

describe("thousands of unknown names", () => {
  const names = Object.fromEntries(Array.from({ length: 24_000 }, (_, index) => [`k${index}`, 1]));

  test.each([
    [{ workflow_id: "chain", ...names }, "unknown field"],
    [{ workflow_id: "chain", input_params: names }, "declares no inputs"],
  ])("are answered by a hundred issues and a count: %#", async (body, said) => {
    const answer = await http.call("jobs_submit", { body });
    const issues = answer.body["issues"] as readonly { readonly message: string }[];
    expect(issues).toHaveLength(101);
    expect(issues[0]?.message).toContain(said);
    expect(issues[100]).toEqual({ message: "23900 more problems are not listed" });
    expect(answer.text.length).toBeLessThan(20_000);
  });

  test("the message of a refused body counts all of them", async () => {
    const answer = await http.call("jobs_submit", { body: { workflow_id: "chain", ...names } });
    expect(answer.body["detail"]).toContain("(and 23999 more)");
  });

  test("one that is long is not repeated in full", async () => {
    const long = { workflow_id: "chain", ["n".repeat(400_000)]: 1 };
    const answer = await http.call("jobs_submit", { body: long });
    expect(code(answer)).toEqual([400, "BAD_REQUEST"]);
    expect(answer.text.length).toBeLessThan(2_000);
  });
});

test("a list whose length is a map is refused at its place", async () => {
  const body = '{"workflow_id": "chain", "tags": {"length": {"toString": 1, "valueOf": 1}}}';
  const answer = await http.call("jobs_submit", { headers: json, body });
  expect(code(answer)).toEqual([400, "BAD_REQUEST"]);
  expect(answer.body).toMatchObject({ issues: [{ pointer: "/tags" }] });
});

describe("keys that could reach a prototype", () => {
  const at = (key: string) => [
    `{"${key}": 1}`,
    `{"workflow_id": "chain", "${key}": {"a": 1}}`,
    `{"workflow_id": "chain", "input_params": {"${key}": 1}}`,
    `{"workflow_id": "chain", "input_params": {"a": [1, {"b": {"${key}": {"polluted": 1}}}]}}`,
    `{"workflow_id": "chain", "tags": [{"${key}": 1}]}`,
  ];
  const ESCAPED = ["__proto__", "\\u005f_proto__", "constructor", "prototype", "protot\\u0079pe"];

  test.each(ESCAPED)("%s is refused at every depth of a body", async (key) => {
    for (const body of at(key)) {
      const submitted = await http.call("jobs_submit", { headers: json, body });
      expect(code(submitted)).toEqual([400, "BAD_REQUEST"]);
      const params = { job_id: "01890000-0000-7000-8000-000000000000" };
      const cancelled = await http.call("jobs_cancel", { headers: json, params, body });
      expect(code(cancelled)).toEqual([400, "BAD_REQUEST"]);
    }
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test.each(["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"])(
    "%s is no query parameter, workflow, node or handler",
    async (key) => {
      const listed = await http.call("jobs_list", { query: { [key]: "x" } });
      expect(code(listed)).toEqual([400, "BAD_REQUEST"]);
      const job_id = await http.submit();
      const node = await http.call("jobs_node", { params: { job_id, node_id: key } });
      expect(code(node)).toEqual([404, "NODE_NOT_FOUND"]);
      const workflow = await http.call("workflows_get", { params: { workflow_id: key } });
      expect(code(workflow)).toEqual([404, "WORKFLOW_NOT_FOUND"]);
    },
  );
});

describe("what a request carries beside its body", () => {
  const body = { workflow_id: "chain" };
  test.each(["", "x".repeat(257)])("the idempotency key %j is refused", async (key) => {
    const headers = { "idempotency-key": key };
    expect(code(await http.call("jobs_submit", { headers, body }))).toEqual([400, "BAD_REQUEST"]);
  });

  test.each([
    ["limit", "0"],
    ["limit", "201"],
    ["limit", "1e2"],
    ["limit", "9".repeat(400)],
    ["status", "done"],
    ["workflow_version", "-1"],
    ["workflow_id", "../x"],
    ["correlation_id", "x".repeat(257)],
    ["continuation", "x"],
    ["continuation", "A".repeat(5_000)],
    ["confirm", "DESTROY"],
  ])("the query parameter %s=%s is refused", async (name, value) => {
    const answer = await http.call("jobs_list", { query: { [name]: value } });
    expect(code(answer)).toEqual([400, "BAD_REQUEST"]);
    expect(answer.text.length).toBeLessThan(2_000);
  });

  test("a cancel without a body needs no content type, one with a body does", async () => {
    const job_id = await http.submit();
    const form = { params: { job_id }, body: "reason=x" };
    expect(code(await http.call("jobs_cancel", form))).toEqual([415, "UNSUPPORTED_MEDIA_TYPE"]);
    expect((await http.call("jobs_cancel", { params: { job_id } })).status).toBe(202);
  });
});
