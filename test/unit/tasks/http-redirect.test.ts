// http_request and redirects: what is followed, what goes along, and that every check is made anew
// where a stranger points to. Names are known to a stub resolver only; the servers are real.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import type { HttpAddress } from "../../../src/tasks/http-address.ts";
import { httpRequestHandler } from "../../../src/tasks/http-request.ts";
import { PRIVATE_URLS, NO_TARGETS } from "../../support/hostile-urls.ts";
import { startServer } from "../../support/http-server.ts";
import type { Respond, SeenRequest, TestServer } from "../../support/http-server.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { runTask, taskFailure, taskOutput } from "../../support/run-task.ts";

let server: TestServer;
let other: TestServer;
beforeAll(async () => {
  server = await startServer();
  other = await startServer();
});
afterAll(async () => {
  await server.close();
  await other.close();
});

const LOCAL: HttpAddress = { address: "127.0.0.1", family: 4 };
type Names = Readonly<Record<string, readonly string[]>>;

/** Each name with its answers, one after the other; the last one stays. */
function resolver(names: Names) {
  const asked: string[] = [];
  const lookup = async (host: string): Promise<readonly HttpAddress[]> => {
    asked.push(host);
    const answers = names[host] ?? [];
    const turn = asked.filter((one) => one === host).length - 1;
    const address = answers[Math.min(turn, answers.length - 1)];
    if (address === undefined) throw Object.assign(new Error("x"), { code: "ENOTFOUND" });
    return [{ address, family: address.includes(":") ? 6 : 4 }];
  };
  return { asked, lookup };
}

const HOSTS = { "a.test": [LOCAL.address], "b.test": [LOCAL.address] };

function handler(allow: readonly string[] = ["a.test", "b.test"], names: Names = HOSTS) {
  return httpRequestHandler({ allow, lookup: resolver(names).lookup }, manualClock());
}

const at = (host: string, path = "/", on = server): string => `http://${host}:${on.port}${path}`;

const location = (status: number, to: string): Respond => (response) => {
  response.writeHead(status, { location: to }).end("ignored");
};
const fine: Respond = (response, request) => {
  const { method, url, headers, body } = request;
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ method, url, headers, body }));
};

/** Answers the first request with a redirect and the others well. */
function redirecting(status: number, to: string, next: TestServer = server): void {
  let isFirst = true;
  server.answer((response, request) => {
    if (!isFirst) return fine(response, request);
    isFirst = false;
    return location(status, to)(response, request);
  });
  if (next !== server) next.answer(fine);
}

async function followed(params: JsonObject): Promise<SeenRequest> {
  const output = await taskOutput(handler(), { url: at("a.test", "/first?k=1"), ...params });
  return (output as JsonObject)["body"] as unknown as SeenRequest;
}

describe("what is followed", () => {
  const ways: readonly [status: number, method: string, after: string, keepsBody: boolean][] = [
    [301, "GET", "GET", false],
    [301, "POST", "GET", false],
    [301, "PUT", "PUT", true],
    [302, "POST", "GET", false],
    [302, "HEAD", "HEAD", false],
    [302, "DELETE", "DELETE", true],
    [303, "POST", "GET", false],
    [303, "PUT", "GET", false],
    [303, "DELETE", "GET", false],
    [307, "POST", "POST", true],
    [307, "GET", "GET", false],
    [308, "PATCH", "PATCH", true],
  ];
  test.each(ways)("%d after %s asks with %s; body kept: %s", async (status, method, ...rest) => {
    const [after, keepsBody] = rest;
    redirecting(status, "/second");
    const body = method === "GET" || method === "HEAD" ? {} : { body: { a: 1 } };
    await taskOutput(handler(), { url: at("a.test"), method, ...body });
    expect(server.seen.map(({ url }) => url)).toEqual(["/", "/second"]);
    expect(server.seen[1]).toMatchObject({ method: after, body: keepsBody ? '{"a":1}' : "" });
    const type = server.seen[1]?.headers["content-type"];
    expect(type).toBe(keepsBody ? "application/json" : undefined);
  });

  test("a Location is read against where it came from; the answer names its place", async () => {
    redirecting(302, "../x/y?sig=secret#part");
    const output = await taskOutput(handler(), { url: at("a.test", "/d/e/f?k=1") });
    expect(server.seen[1]?.url).toBe("/d/x/y?sig=secret");
    expect(output).toMatchObject({ url: at("a.test", "/d/x/y"), status: 200 });
  });

  test("five are followed, not six, and the number can be lowered", async () => {
    const chain = (length: number): void => {
      let left = length;
      server.answer((response, request) => {
        left -= 1;
        (left >= 0 ? location(302, `/${left}`) : fine)(response, request);
      });
    };
    chain(5);
    expect(await taskOutput(handler(), { url: at("a.test") })).toMatchObject({ status: 200 });
    chain(6);
    expect(await taskFailure(handler(), { url: at("a.test") })).toEqual({
      code: "HTTP_FAILED",
      message: "GET a.test answered 302 after 5 redirects, the most",
      retryable: false,
    });
    expect(server.seen).toHaveLength(6);
    chain(2);
    const once = { url: at("a.test"), max_redirects: 1 };
    expect(await taskFailure(handler(), once)).toMatchObject({ code: "HTTP_FAILED" });
    expect(server.seen).toHaveLength(2);
  });

  test("with max_redirects 0, or without a Location, the status is the answer", async () => {
    server.answer(location(302, "/x"));
    const none = await taskFailure(handler(), { url: at("a.test"), max_redirects: 0 });
    expect(none).toMatchObject({ code: "HTTP_STATUS", retryable: false });
    expect(none.message).toContain("the redirect was not followed");
    server.answer((response) => response.writeHead(302).end());
    expect(await taskFailure(handler(), { url: at("a.test") })).toMatchObject({
      code: "HTTP_STATUS",
    });
    expect(server.seen).toHaveLength(1);
  });

  test("a redirect that is expected is the answer", async () => {
    server.answer(location(302, at("b.test")));
    const params = { url: at("a.test"), expect_status: ["3xx"], response: "text" };
    expect(await taskOutput(handler(), params)).toMatchObject({
      status: 302,
      headers: { location: at("b.test") },
    });
    expect(server.seen).toHaveLength(1);
  });

  test.each([-1, 6, 1.5, "2"] as Json[])("max_redirects %j is refused", async (max_redirects) => {
    const params = { url: at("a.test"), max_redirects };
    expect(await taskFailure(handler(), params)).toMatchObject({ code: "PARAMS_INVALID" });
  });
});

describe("what goes along", () => {
  const headers = {
    Authorization: "Bearer canary",
    Cookie: "canary",
    "X-Api-Key": "canary",
    "X-Anything": "canary",
    "User-Agent": "canary",
    Accept: "text/csv",
  };

  test("within one origin, everything", async () => {
    redirecting(302, "/second");
    const seen = await followed({ headers });
    expect(seen.headers).toMatchObject({ authorization: "Bearer canary", cookie: "canary" });
    expect(seen.url).toBe("/second");
  });

  const others: readonly [string, () => [string, TestServer]][] = [
    ["another host", () => [at("b.test"), server]],
    ["another port", () => [at("a.test", "/", other), other]],
  ];
  test.each(others)("%s gets what says how, and nothing that says who", async (_name, place) => {
    const [url, next] = place();
    redirecting(307, url, next);
    const seen = await followed({ headers });
    expect(JSON.stringify(seen)).not.toContain("canary");
    expect(seen.headers).toMatchObject({ accept: "text/csv", "user-agent": "holdfast" });
    expect(seen.url).toBe("/");
  });

  test("what was left behind does not come back with the first origin", async () => {
    server.answer((response, request) => {
      const { host } = request.headers;
      if (request.url === "/second") return fine(response, request);
      const to = host?.startsWith("a.test") ? at("b.test") : at("a.test", "/second");
      return location(302, to)(response, request);
    });
    const seen = await followed({ headers });
    expect(server.seen).toHaveLength(3);
    expect(JSON.stringify(seen)).not.toContain("canary");
  });

  test("a body never reaches another origin", async () => {
    redirecting(308, at("b.test"));
    const params = { url: at("a.test"), method: "POST", body: "canary" };
    const { code, message, retryable } = await taskFailure(handler(), params);
    expect({ code, retryable }).toEqual({ code: "HTTP_FAILED", retryable: false });
    expect(message).toBe(
      "the redirect of POST a.test would carry the body to another origin; name that origin in url",
    );
    expect(server.seen).toHaveLength(1);
    redirecting(303, at("b.test"));
    expect(await taskOutput(handler(), params)).toMatchObject({ body: { body: "" } });
  });
});

describe("where a redirect may not lead", () => {
  /** Read against where it came from, these stay where they are. */
  const RELATIVE = new Set([
    "", "example.com", "//example.com/", "/etc/passwd", "http:127.0.0.1/",
    `http://example.com/${"a".repeat(9000)}`,
  ]);
  /** Cannot stand in a header. */
  const writable = (url: string): boolean => /^[\t\u0020-\u00ff]*$/.test(url);
  const bytesOf = (url: string): string => Buffer.from(url, "utf8").toString("latin1");
  const all = [...new Set([...PRIVATE_URLS, ...NO_TARGETS])];
  const targets = all.filter((url) => !RELATIVE.has(url));

  test.each(targets.filter((url) => writable(bytesOf(url))))("%j", async (url) => {
    server.answer(location(302, bytesOf(url)));
    const { code, message, retryable } = await taskFailure(handler(), { url: at("a.test") });
    expect({ code, retryable }).toEqual({ code: "HTTP_FAILED", retryable: false });
    expect(message).toMatch(/private or reserved|the redirect of GET a\.test/);
    expect(message).not.toContain("secret");
    expect(server.seen).toHaveLength(1);
  });

  test("the table has at least forty spellings", () => {
    expect(targets.length).toBeGreaterThan(80);
  });

  const metadata = [
    "metadata.google.internal", "metadata", "instance-data", "metadata.azure.internal",
    "169.254.169.254.nip.test",
  ];
  test.each(metadata)("the metadata service by the name %s", async (host) => {
    const names = { ...HOSTS, [host]: ["169.254.169.254"] };
    server.answer(location(302, `http://${host}/computeMetadata/v1/`));
    const failure = await taskFailure(handler(["a.test"], names), { url: at("a.test") });
    expect(failure.message).toContain("private or reserved");
    expect(await taskFailure(handler([], names), { url: `http://${host}/` })).toMatchObject({
      code: "HTTP_FAILED",
    });
  });

  test("a name that was public a moment ago and is private now", async () => {
    const names = { "a.test": [LOCAL.address], "c.test": ["10.0.0.1"] };
    server.answer(location(302, at("c.test")));
    const failure = await taskFailure(handler(["a.test"], names), { url: at("a.test") });
    expect(failure.message).toContain("c.test is or resolves to a private or reserved address");
    expect(server.seen).toHaveLength(1);
  });

  test("each hop is resolved once, and connected to the address that was checked", async () => {
    const names = { "a.test": ["127.0.0.1", "10.0.0.1"], "b.test": ["127.0.0.1", "10.0.0.1"] };
    const { asked, lookup } = resolver(names);
    redirecting(302, at("b.test"));
    const rebinding = httpRequestHandler({ allow: ["a.test", "b.test"], lookup }, manualClock());
    expect(await taskOutput(rebinding, { url: at("a.test") })).toMatchObject({ status: 200 });
    expect(asked).toEqual(["a.test", "b.test"]);
    expect(server.seen).toHaveLength(2);
  });

  test("an allowed host vouches for where it sends; a stranger does not", async () => {
    server.answer(location(302, at("b.test", "/", other)));
    other.answer(fine);
    const failure = await taskFailure(handler(["a.test"]), { url: at("a.test") });
    expect(failure.message).toContain("b.test");
    expect(other.seen).toHaveLength(0);
    expect(await taskOutput(handler(), { url: at("a.test") })).toMatchObject({ status: 200 });
    const port = handler(["a.test", `b.test:${server.port}`]);
    expect(await taskFailure(port, { url: at("a.test") })).toMatchObject({ code: "HTTP_FAILED" });
  });

  test("a token endpoint on an allowed host stays shut: its header cannot be set", async () => {
    server.answer(fine);
    const names = ["X-IDENTITY-HEADER", "x-identity-header", "Metadata", "a\r\nmetadata"];
    for (const name of names) {
      const params = { url: at("a.test", "/msi/token"), headers: { [name]: "true" } };
      expect(await taskFailure(handler(), params)).toMatchObject({ code: "PARAMS_INVALID" });
    }
    expect(server.seen).toHaveLength(0);
  });
});

describe("bounds over the whole way", () => {
  test("time counts from the first request on", async () => {
    const clock = manualClock();
    server.answer((response, request) => {
      clock.advance(2_000);
      location(302, `/${request.url.length}`)(response, request);
    });
    const lookup = resolver(HOSTS).lookup;
    const slow = httpRequestHandler({ allow: ["a.test"], lookup }, clock);
    const params = { url: at("a.test"), timeout_seconds: 5 };
    expect(await taskFailure(slow, params, { clock })).toEqual({
      code: "HTTP_FAILED",
      message: "no whole answer within 5 s",
      retryable: true,
    });
    expect(server.seen).toHaveLength(3);
    expect(clock.pending()).toBe(0);
  });

  test("a job that is cancelled between two requests sends no third", async () => {
    const controller = new AbortController();
    server.answer((response, request) => {
      controller.abort();
      location(302, "/next")(response, request);
    });
    const outcome = await runTask(handler(), { url: at("a.test") }, { signal: controller.signal });
    expect(outcome.kind).toBe("aborted");
    expect(server.seen).toHaveLength(1);
  });

  test("the body of a redirect is not read", async () => {
    let cut = (): void => {};
    const closed = new Promise<void>((resolve) => {
      cut = resolve;
    });
    let isFirst = true;
    server.answer((response, request) => {
      if (!isFirst) return fine(response, request);
      isFirst = false;
      response.on("close", cut);
      response.writeHead(302, { location: "/second" });
      const pump = (): void => {
        while (response.write("x".repeat(4096)));
        response.once("drain", pump);
      };
      return pump();
    });
    expect(await taskOutput(handler(), { url: at("a.test") })).toMatchObject({ status: 200 });
    await closed;
  });

  test("the log has a line for each hop, with hosts and no paths", async () => {
    redirecting(302, at("b.test", "/secret?k=secret"));
    const { log } = await runTask(handler(), { url: at("a.test", "/secret") });
    expect(log[0]).toBe('GET a.test answered {"status":302,"bytes":0}');
    expect(log[1]).toMatch(/^GET b\.test answered \{"status":200,/);
    expect(log.join()).not.toContain("secret");
  });
});
