// Who may ask the local host: its keys are published, so a web page must not be able to.
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal } from "../../../src/local/http-guard.ts";
import { createHttpServer, listen } from "../../../src/local/http-server.ts";
import { LOCAL_KEYS } from "../../../src/local/host.ts";

const NAMED = "localhost:7071";

function isRefused(headers: Readonly<Record<string, string>>): boolean {
  return refusal({ headers }, 7071) !== undefined;
}

describe("a request", () => {
  test.each([
    "localhost:7071",
    "LocalHost:7071",
    "app.localhost:7071",
    "127.0.0.1:7071",
    "127.8.9.10:7071",
    "[::1]:7071",
  ])("to %s is answered", (host) => {
    expect(isRefused({ host })).toBe(false);
  });

  test.each([
    "evil.example:7071",
    "localhost.evil.example:7071",
    "evillocalhost:7071",
    "127.0.0.1.evil.example:7071",
    "evil@localhost:7071",
    "evil/.localhost:7071",
    "128.0.0.1:7071",
    "0.0.0.0:7071",
    "[::]:7071",
    "localhost:7072",
    "localhost",
    "",
  ])("to %j is refused", (host) => {
    expect(isRefused({ host })).toBe(true);
  });

  test.each([
    ["of another site", { origin: "https://evil.example" }],
    ["of another port", { origin: "http://localhost:3000" }],
    ["of another scheme", { origin: "https://localhost:7071" }],
    ["that hides where it is from", { origin: "null" }],
    ["from another site", { "sec-fetch-site": "cross-site" }],
    ["from another port", { "sec-fetch-site": "same-site" }],
  ])("of a page %s is refused", (_what, headers) => {
    expect(isRefused({ host: NAMED, ...headers })).toBe(true);
  });

  test.each([
    ["no page sent", {}],
    ["somebody typed", { "sec-fetch-site": "none" }],
    ["a page of ours sent", { origin: `http://${NAMED}`, "sec-fetch-site": "same-origin" }],
  ])("that %s is answered", (_what, headers) => {
    expect(isRefused({ host: NAMED, ...headers })).toBe(false);
  });
});

describe("the server", () => {
  const server = createHttpServer({
    keys: LOCAL_KEYS,
    log: () => undefined,
    bodyLimitBytes: 1000,
    current: () => undefined,
  });
  let port = 0;
  beforeAll(async () => {
    port = await listen(server, 0);
  });
  afterAll(() => server.close());

  const REBUILD = `/api/v1/bootstrap/rebuild?confirm=DESTROY&code=${LOCAL_KEYS.master}`;
  const form = { "content-type": "application/x-www-form-urlencoded" };

  async function ask(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<readonly [number | undefined, string]> {
    return new Promise((resolve, reject) => {
      const sent = { host: "127.0.0.1", port, method, path, headers, agent: false };
      httpRequest(sent, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => resolve([response.statusCode, text]));
      })
        .on("error", reject)
        .end();
    });
  }

  test.each([
    ["a form that submits itself", "POST", { ...form, origin: "https://evil.example" }],
    ["a sandboxed frame", "POST", { ...form, origin: "null" }],
    ["an image", "GET", { "sec-fetch-site": "cross-site" }],
    ["a rebound name", "GET", { host: "evil.example:7071" }],
    ["a preflight", "OPTIONS", { origin: "https://evil.example" }],
  ])("refuses %s whatever key comes with it", async (_what, method, headers) => {
    for (const path of [REBUILD, `/admin/host/status?code=${LOCAL_KEYS.master}`, "/"]) {
      const [status, text] = await ask(method, path, headers);
      expect([path, status]).toEqual([path, 403]);
      expect(text).toMatch(/^Refused: /);
    }
  });

  test("answers what no page sent", async () => {
    expect(await ask("GET", "/admin/host/ping", {})).toEqual([200, ""]);
    expect((await ask("POST", REBUILD, {}))[0]).toBe(503);
  });
});
