// http_request against a real server: what is sent, what is refused, what is kept.
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { Secrets } from "../../../src/runtime/secrets.ts";
import { httpRequestHandler } from "../../../src/tasks/http-request.ts";
import { startServer } from "../../support/http-server.ts";
import type { Respond, TestServer } from "../../support/http-server.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { runTask, taskFailure, taskOutput } from "../../support/run-task.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

function handler() {
  const allow = [`127.0.0.1:${server.port}`];
  return httpRequestHandler({ allow, maxBytes: 10_000 }, manualClock());
}

const at = (path: string): string => `http://127.0.0.1:${server.port}${path}`;

function call(params: JsonObject = {}): Promise<Json> {
  return taskOutput(handler(), { url: at("/"), ...params });
}

function failure(params: JsonObject = {}) {
  return taskFailure(handler(), { url: at("/secret-path?key=secret"), ...params });
}

function json(value: unknown, status = 200): Respond {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
    response.end(JSON.stringify(value));
  };
}

function raw(type: string, body: string | Buffer, status = 200): Respond {
  return (response) => {
    response.writeHead(status, { "content-type": type });
    response.end(body);
  };
}

describe("what is sent", () => {
  test("a GET carries the attempt's key and our name, and no body", async () => {
    server.answer(json({}));
    await taskOutput(handler(), { url: at("/a?b=1#hash") }, { idempotencyKey: "job/node/7" });
    expect(server.seen).toHaveLength(1);
    expect(server.seen[0]).toMatchObject({ method: "GET", url: "/a?b=1", body: "" });
    expect(server.seen[0]?.headers).toEqual({
      accept: "*/*",
      "accept-encoding": "identity",
      connection: "close",
      host: `127.0.0.1:${server.port}`,
      "idempotency-key": "job/node/7",
      "user-agent": "holdfast",
    });
  });

  const bodies: readonly [string, Json, string, string][] = [
    ["an object", { a: "é" }, '{"a":"é"}', "application/json"],
    ["a list", [1], "[1]", "application/json"],
    ["a number", 0, "0", "application/json"],
    ["false", false, "false", "application/json"],
    ["a string", "as it stands é", "as it stands é", "text/plain; charset=utf-8"],
    ["an empty string", "", "", "text/plain; charset=utf-8"],
  ];
  test.each(bodies)("a body that is %s", async (_name, body, ...[sent, type]) => {
    server.answer(json({}));
    await call({ method: "POST", body });
    expect(server.seen[0]).toMatchObject({ method: "POST", body: sent });
    expect(server.seen[0]?.headers).toMatchObject({
      "content-type": type,
      "content-length": String(Buffer.byteLength(sent)),
    });
  });

  test.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])(
    "the body of a %s has its length, so that nothing is left to be read as a request",
    async (method) => {
      server.answer(json({}));
      await call({ method, body: "GET /admin HTTP/1.1\r\nHost: x\r\n\r\n" });
      expect(server.seen.map(({ url, body }) => [url, body.length])).toEqual([["/", 32]]);
    },
  );

  test("a POST without a body says that it has none", async () => {
    server.answer(json({}));
    await call({ method: "POST" });
    expect(server.seen[0]?.headers).toMatchObject({ "content-length": "0" });
    expect(server.seen[0]?.headers).not.toHaveProperty("content-type");
  });

  test("headers of the author win over ours", async () => {
    server.answer(json({}));
    const headers = { Accept: "text/csv", "User-Agent": "mine", "CONTENT-TYPE": "a/b", "x-a": "1" };
    await call({ method: "PUT", body: "x", headers });
    expect(server.seen[0]?.headers).toMatchObject({
      accept: "text/csv",
      "user-agent": "mine",
      "content-type": "a/b",
      "x-a": "1",
    });
  });

  test("the query is added to the URL's own, encoded, lists repeated", async () => {
    server.answer(json({}));
    await call({ url: at("/p?a=1"), query: { "b c": "d&e=é", n: 2, t: true, l: ["x", 3] } });
    expect(server.seen[0]?.url).toBe("/p?a=1&b+c=d%26e%3D%C3%A9&n=2&t=true&l=x&l=3");
  });
});

describe("what is refused before anything is sent", () => {
  const names = [
    "Host", "host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "TE", "Trailer",
    "Expect", "Keep-Alive", "Via", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "Metadata",
    "Metadata-Flavor", "X-IDENTITY-HEADER", "X-aws-ec2-metadata-token", "Proxy-Authorization",
    "Proxy-Connection", "Idempotency-Key", "Accept-Encoding", "X-MS-CLIENT-PRINCIPAL-ID",
  ];
  test.each(names)("the header %s", async (name) => {
    const { code, message } = await failure({ headers: { [name]: "x" } });
    expect(code).toBe("PARAMS_INVALID");
    expect(message).toContain(`"${name.toLowerCase()}" cannot be set`);
  });

  const params: readonly [string, JsonObject][] = [
    ["a header with a line break", { headers: { a: "x\r\nHost: y" } }],
    ["a header with NUL", { headers: { a: "\u0000" } }],
    ["a header beyond ASCII", { headers: { a: "é" } }],
    ["a header name with a colon", { headers: { "a:": "x" } }],
    ["a header name with a space", { headers: { "a b": "x" } }],
    ["an empty header name", { headers: { "": "x" } }],
    ["one header twice", { headers: { "x-a": "1", "X-A": "2" } }],
    ["a header that is no text", { headers: { a: 1 } }],
    ["a GET with a body", { body: { a: 1 } }],
    ["a HEAD with a body", { method: "HEAD", body: "x" }],
    ["a method of lower case", { method: "get" }],
    ["the method CONNECT", { method: "CONNECT" }],
    ["the method TRACE", { method: "TRACE" }],
    ["no time", { timeout_seconds: 0 }],
    ["too much time", { timeout_seconds: 301 }],
    ["a bound above the operator's", { max_bytes: 10_001 }],
    ["no status", { expect_status: [] }],
    ["a status of letters", { expect_status: ["ok"] }],
    ["a status out of range", { expect_status: [600] }],
    ["a query of objects", { query: { a: { b: 1 } } }],
    ["an unknown way to read", { response: "xml" }],
  ];
  test.each(params)("%s", async (_name, change) => {
    server.answer(json({}));
    expect(await failure(change)).toMatchObject({ code: "PARAMS_INVALID", retryable: false });
    expect(server.seen).toHaveLength(0);
  });
});

describe("the answer", () => {
  test("status, kept headers, parsed body, bytes, and the URL without its query", async () => {
    server.answer((response) => {
      response.writeHead(201, {
        "Content-Type": "application/problem+json",
        ETag: '"1"',
        Location: "/new",
        "Set-Cookie": "session=secret",
        "X-Secret": "secret",
        Date: "Thu, 01 Jan 2026 00:00:00 GMT",
      });
      response.end('{"a":[1,null]}');
    });
    expect(await call({ url: at("/p?sig=secret") })).toEqual({
      status: 201,
      headers: {
        "content-type": "application/problem+json",
        date: "Thu, 01 Jan 2026 00:00:00 GMT",
        etag: '"1"',
        location: "/new",
      },
      body: { a: [1, null] },
      bytes: 14,
      url: at("/p"),
    });
  });

  const readings: readonly [string, Respond, JsonObject, Json][] = [
    ["text by its type", raw("text/csv", "a,b"), {}, "a,b"],
    ["JSON as text on demand", raw("application/json", "[1]"), { response: "text" }, "[1]"],
    ["text as JSON on demand", raw("text/plain", "[1]"), { response: "json" }, [1]],
    ["JSON with a byte order mark", raw("application/json", "\ufeff[1]"), {}, [1]],
    ["latin-1 text", raw("text/plain; charset=ISO-8859-1", Buffer.from([0xe9])), {}, "é"],
    ["an unknown charset as UTF-8", raw('text/plain; charset="x-?"', "é"), {}, "é"],
    ["bytes that are no text", raw("image/png", Buffer.from([0xff, 0x41])), {}, "\ufffdA"],
    ["an empty body", raw("application/json", ""), {}, null],
    ["an empty text", raw("text/plain", ""), { response: "text" }, ""],
    ["an empty body of no type", (response) => response.writeHead(204).end(), {}, null],
    ["nothing as JSON", (response) => response.writeHead(204).end(), { response: "json" }, null],
    ["HEAD", json([1]), { method: "HEAD", response: "json" }, null],
    ["a type that merely contains json", raw("application/jsonp", "x"), {}, "x"],
  ];
  test.each(readings)("reads %s", async (_name, respond, ...[params, body]) => {
    server.answer(respond);
    expect(await call(params)).toMatchObject({ body });
  });

  const broken: readonly [string, Respond, JsonObject][] = [
    ["JSON that does not parse", raw("application/json", "{"), {}],
    ["text where JSON was asked for", raw("text/plain", "hello secret"), { response: "json" }],
    ["an empty body where JSON was asked for", raw("text/plain", ""), { response: "json" }],
    ["JSON that is not UTF-8", raw("application/json", Buffer.from([0x22, 0xff, 0x22])), {}],
  ];
  test.each(broken)("%s fails for good", async (_name, respond, params) => {
    server.answer(respond);
    const { code, message, retryable } = await failure(params);
    expect({ code, retryable }).toEqual({ code: "HTTP_FAILED", retryable: false });
    expect(message).toBe("the body of GET 127.0.0.1 is not JSON");
  });

  test("JSON that could reach a prototype is refused with its pointer", async () => {
    server.answer(raw("application/json", '{"a":{"__proto__":{"x":1}}}'));
    const { code, message } = await failure();
    expect(code).toBe("OUTPUT_INVALID");
    expect(message).toContain("/body/a/__proto__");
  });

  test("JSON nested without end is refused", async () => {
    server.answer(raw("application/json", "[".repeat(4_000) + "]".repeat(4_000)));
    expect(await failure()).toMatchObject({ code: "OUTPUT_INVALID" });
  });

  test("a body of exactly max_bytes is read, one byte more is refused", async () => {
    server.answer(raw("text/plain", "x".repeat(100)));
    expect(await call({ max_bytes: 100 })).toMatchObject({ bytes: 100 });
    expect(await failure({ max_bytes: 99 })).toEqual({
      code: "HTTP_FAILED",
      message: "the body of 127.0.0.1 is larger than 99 bytes",
      retryable: false,
    });
  });

  test("a body without a length is counted as it comes, and cut off", async () => {
    let cut = (): void => {};
    const closed = new Promise<void>((resolve) => {
      cut = resolve;
    });
    server.answer((response) => {
      response.on("close", cut);
      const pump = (): void => {
        while (response.write("x".repeat(4096)));
        response.once("drain", pump);
      };
      pump();
    });
    expect(await failure()).toMatchObject({ code: "HTTP_FAILED", retryable: false });
    await closed;
  });

  const encodings = ["gzip", "br", "deflate", "GZIP, gzip", "x"];
  test.each(encodings)("a %s body is cut unread", async (way) => {
    let cut = (): void => {};
    const closed = new Promise<void>((resolve) => {
      cut = resolve;
    });
    // A megabyte of nothing in a thousand bytes, again and again: never unpacked, never awaited.
    const bomb = gzipSync(Buffer.alloc(1024 * 1024));
    server.answer((response) => {
      response.on("close", cut);
      response.writeHead(200, { "content-encoding": way });
      const pump = (): void => {
        while (response.write(bomb));
        response.once("drain", pump);
      };
      pump();
    });
    const { message, retryable } = await failure();
    await closed;
    expect({ message, retryable }).toEqual({
      message: "127.0.0.1 sent a compressed body unasked",
      retryable: false,
    });
  });

  test("the log names host and status only", async () => {
    server.answer(json({}));
    const { log } = await runTask(handler(), { url: at("/secret?key=secret") });
    expect(log).toEqual(['GET 127.0.0.1 answered {"status":200,"bytes":2}']);
  });
});

describe("the status", () => {
  const statuses: readonly [status: number, retryable: boolean][] = [
    [300, false], [304, false], [305, false], [400, false], [401, false], [404, false],
    [408, true], [409, false], [425, true], [429, true], [500, true], [501, true], [503, true],
  ];
  test.each(statuses)("%d fails, worth retrying: %s", async (status, retryable) => {
    server.answer((response) => {
      response.writeHead(status, { location: at("/elsewhere") }).end("secret");
    });
    const { code, message, retryable: again } = await failure();
    expect({ code, again }).toEqual({ code: "HTTP_STATUS", again: retryable });
    expect(message).toContain(`GET 127.0.0.1 answered ${status}`);
    expect(message).not.toContain("secret");
    expect(server.seen).toHaveLength(1);
  });

  const expected: readonly [status: number, rules: Json[], fine: boolean][] = [
    [404, [404], true],
    [404, ["404"], true],
    [404, ["4xx"], true],
    [404, ["2xx", 404], true],
    [404, ["2xx", "5xx"], false],
    [200, [404], false],
    [200, ["4xx"], false],
    [302, ["3xx"], true],
  ];
  test.each(expected)("%d with the rules %j: %s", async (status, rules, fine) => {
    server.answer(json({ e: 1 }, status));
    const outcome = await runTask(handler(), { url: at("/"), expect_status: rules });
    expect(outcome.kind).toBe(fine ? "completed" : "failed");
    if (fine) expect(outcome).toMatchObject({ output: { status, body: { e: 1 } } });
  });
});

describe("a secret in the URL stands in nothing that comes back", () => {
  const cases: readonly [secret: string, place: (secret: string) => string, left: RegExp][] = [
    ["p{a|ss}word", (secret) => at(`/v1/${secret}/send?k=${secret}`), /word/],
    ["ab cd[12]", (secret) => at(`/v1/${secret}/send?k=${secret}`), /cd|12\]/],
    ["abc\\defgh", (secret) => at(`/v1/${secret}/send?k=${secret}`), /defgh/],
    ["/api/webhooks/1/TOKEN?wait=true", (secret) => at(secret), /TOKEN|wait/],
  ];
  // The server says all it was asked for, as the one that is called may.
  const telling =
    (status: number): Respond =>
    (response, { url }) => {
      response.writeHead(status, { "content-type": "text/plain", location: at(url), link: url });
      response.end(`${at(url)} ${url}`);
    };

  test.each(cases)("%s", async (secret, place, left) => {
    const secrets = new Secrets({ A: secret }).of(["A"]);
    for (const status of [200, 302, 500]) {
      server.answer(telling(status));
      const params = { url: place(secret), query: { m: "1" }, max_redirects: 0 };
      const outcome = await runTask(handler(), params, { secrets });
      expect(outcome.kind).toBe(status === 200 ? "completed" : "failed");
      expect(outcome.log).toHaveLength(1);
      expect(JSON.stringify(outcome)).not.toMatch(left);
      expect(server.seen[0]?.url).toMatch(left);
    }
  });

  test("nor where it is the whole URL", async () => {
    const secret = at("/api/webhooks/1/TOKEN?wait=true");
    const secrets = new Secrets({ A: secret }).of(["A"]);
    server.answer(telling(200));
    const outcome = await runTask(handler(), { url: secret, query: { m: "1" } }, { secrets });
    const output = { url: "***", body: "***&m=1 ***&m=1" };
    expect(outcome).toMatchObject({ kind: "completed", output });
    expect(JSON.stringify(outcome)).not.toContain("TOKEN");
  });
});
