// The table of routes, and keys.

import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import type { AppFunction } from "../../../src/local/app-loader.ts";
import { grantOf, isAllowed } from "../../../src/local/http-keys.ts";
import { requestData } from "../../../src/local/http-message.ts";
import { findRoute, httpRoutes } from "../../../src/local/http-routes.ts";

function httpFunction(name: string, options: Readonly<Record<string, unknown>> = {}): AppFunction {
  const trigger = {
    type: "httpTrigger",
    direction: "in",
    methods: ["GET"],
    authLevel: "anonymous",
    ...options,
  };
  const metadata = { name, bindings: {} };
  return { name, trigger, input: "req", metadata, callback: () => undefined };
}

function checkFound(
  functions: readonly AppFunction[],
  [method, path]: readonly [string, string],
  expected: string | undefined,
): void {
  const found = findRoute(httpRoutes(functions, "api", {}), method, path);
  expect(found?.route.target.name).toBe(expected);
}

test("the prefix goes before the route or, without one, the name", () => {
  checkFound([httpFunction("plain")], ["GET", "/api/plain"], "plain");
  checkFound([httpFunction("empty", { route: "" })], ["GET", "/api/empty"], "empty");
  checkFound([httpFunction("slashed", { route: "/x/" })], ["GET", "/api/x"], "slashed");
  const bare = httpRoutes([httpFunction("bare", { route: "x" })], "", {});
  expect(findRoute(bare, "get", "/x")?.route.target.name).toBe("bare");
});

test("the method belongs to the route", () => {
  const functions = [
    httpFunction("read", { route: "x" }),
    httpFunction("write", { route: "x", methods: ["POST"] }),
  ];
  checkFound(functions, ["POST", "/api/x"], "write");
  checkFound(functions, ["HEAD", "/api/x"], undefined);
});

test("the same route with a method in common is refused", () => {
  const functions = [
    httpFunction("a", { route: "x/{id}", methods: ["GET", "PUT"] }),
    httpFunction("b", { route: "X/{id}", methods: ["PUT"] }),
  ];
  expect(() => httpRoutes(functions, "api", {})).toThrow('"a" and "b" have the same route');
});

test("reserved routes and unknown levels are refused", () => {
  for (const route of ["admin", "administrators", "Runtime/x"]) {
    expect(() => httpRoutes([httpFunction("a", { route })], "api", {}), route).toThrow("refuses");
  }
  const odd = httpFunction("a", { authLevel: "secret" });
  expect(() => httpRoutes([odd], "api", {})).toThrow("no auth level secret");
});

test("an app setting disables a function", () => {
  const [route] = httpRoutes([httpFunction("a")], "api", { "AzureWebJobs.a.Disabled": "1" });
  expect(route?.disabled).toBe(true);
});

test("an empty key is no key", () => {
  const keys = { master: "m", host: "h", functions: { a: "fa" } };
  const grant = (header: string | undefined, query: string): unknown => {
    const headers = header === undefined ? {} : { "x-functions-key": header };
    return grantOf({ headers } as unknown as IncomingMessage, new URL(`http://x/${query}`), keys);
  };
  expect(grant(undefined, "")).toBe("none");
  expect(grant("", "?code=h")).toBe("none");
  expect(grant(undefined, "?code=h")).toBe("host");
  expect(grant("m", "")).toBe("master");
  expect(grant("fa", "")).toEqual({ functionName: "a" });
  expect(isAllowed("function", "a", { functionName: "b" })).toBe(false);
  expect(isAllowed("admin", "a", "host")).toBe(false);
});

test("repeated headers and query keys are joined by a comma, names are lower case", () => {
  const request = { method: "get", rawHeaders: ["X-Many", "1", "x-many", "2"] };
  const data = requestData({
    request: request as unknown as IncomingMessage,
    url: new URL("http://h/p?a=1&a=2&b="),
    values: { id: "7" },
    body: undefined,
  });
  expect(data.http).toEqual({
    url: "http://h/p?a=1&a=2&b=",
    method: "GET",
    nullableHeaders: { "x-many": { value: "1,2" } },
    nullableQuery: { a: { value: "1,2" }, b: { value: "" } },
    nullableParams: { id: { value: "7" } },
  });
});
