// Route templates: what ASP.NET would match for the Functions host.

import { expect, test } from "vitest";
import { matchRoute, parseRoute } from "../../../src/local/route-template.ts";
import { StartupProblem } from "../../../src/local/startup-problem.ts";

function check(template: string, path: string, expected: object | undefined): void {
  const found = matchRoute(parseRoute(template), path);
  expect([template, path, found]).toEqual([template, path, expected]);
}

test("literals match without case, as whole segments", () => {
  check("api/v1/jobs", "/api/v1/jobs", {});
  check("api/v1/jobs", "/API/V1/Jobs/", {});
  check("api/v1/jobs", "/api/v1/jobs/x", undefined);
  check("api/v1/jobs", "/api/v1", undefined);
  check("api/v1/jobs", "/api//v1/jobs", undefined);
  check("api/a.b", "/api/aXb", undefined);
});

test("a parameter takes one segment, decoded but for an encoded slash", () => {
  check("j/{id}", "/j/Ab", { id: "Ab" });
  check("j/{id}", "/j/a%20b%2Fc", { id: "a b%2Fc" });
  check("j/{id}", "/j/100%", { id: "100%" });
  check("j/{id}", "/j/", undefined);
  check("j/{id}", "/j/a/b", undefined);
  check("j/{id}/x", "/j/a/x", { id: "a" });
});

test("optional parameters and defaults may be missing", () => {
  check("j/{id?}", "/j", {});
  check("j/{id?}", "/j/1", { id: "1" });
  check("j/{id:int?}", "/j", {});
  check("j/{id:int?}", "/j/x", undefined);
  check("j/{id=7}", "/j", { id: "7" });
  check("j/{id=7}", "/j/8", { id: "8" });
});

test("a catch-all takes the rest, also nothing", () => {
  check("f/{*rest}", "/f/a/b/c", { rest: "a/b/c" });
  check("f/{**rest}", "/f/a", { rest: "a" });
  check("f/{*rest}", "/f", { rest: "" });
  check("f/{*rest=x}", "/f", { rest: "x" });
});

test("several parameters share a segment, the first one greedy", () => {
  check("d/{a}-{b}", "/d/x-y-z", { a: "x-y", b: "z" });
  check("d/v{n:int}", "/d/V3", { n: "3" });
  check("d/v{n:int}", "/d/vx", undefined);
  check("d/{{x}}", "/d/{x}", {});
});

const GUID = "0198f000-aaaa-7bbb-8ccc-0123456789ab";

test("constraints hold", () => {
  const fits: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["int", ["0", "-5", "2147483647"], ["2147483648", "1.0", "x", ""]],
    ["long", ["9223372036854775807"], ["9223372036854775808"]],
    ["bool", ["true", "FALSE"], ["1", "yes"]],
    ["double", ["1.5", "-1e3", "7"], ["1,5", "x"]],
    ["float", ["1.5"], ["x"]],
    ["decimal", ["49.99", "1,000.5"], ["1e3"]],
    ["guid", [GUID, GUID.replaceAll("-", "").toUpperCase(), `{${GUID}}`], ["0198", `{${GUID}`]],
    ["alpha", ["abcXYZ"], ["a1"]],
    ["datetime", ["2026-01-02", "2026-01-02T03:04:05Z"], ["tomorrow"]],
    ["required", ["x"], []],
    ["min(3)", ["3", "10"], ["2", "x"]],
    ["max(3)", ["3", "-1"], ["4"]],
    ["range(1,3)", ["1", "3"], ["0", "4"]],
    ["minlength(2)", ["ab"], ["a"]],
    ["maxlength(2)", ["ab"], ["abc"]],
    ["length(2)", ["ab"], ["a", "abc"]],
    ["length(2,3)", ["ab", "abc"], ["a", "abcd"]],
    [String.raw`regex(^\d{{2}}$)`, ["12"], ["1", "123"]],
    ["regex(b)", ["aBc"], ["x"]],
    ["int:min(1):max(9)", ["5"], ["0", "10"]],
  ];
  for (const [constraint, good, bad] of fits) {
    for (const value of good) {
      check(`c/{v:${constraint}}`, `/c/${encodeURIComponent(value)}`, { v: value });
    }
    for (const value of bad) {
      check(`c/{v:${constraint}}`, `/c/${encodeURIComponent(value)}`, undefined);
    }
  }
});

test("a template that the host could not read stops the start", () => {
  const wrong = [
    "a/{id",
    "a//b",
    "a/{}",
    "a/{id:unknown}",
    "a/{id:min(x)}",
    "a/{id:min}",
    "a/{id:regex([)}",
    "a/{id}/{ID}",
    "a/{*rest}/b",
    "a/{name}.{ext?}",
    "a/{toString:constructor}",
  ];
  for (const template of wrong) {
    expect(() => parseRoute(template), template).toThrow(StartupProblem);
  }
});
