// What is found of a secret in text and values, what is covered, and what is known not to be.
import { describe, expect, test } from "vitest";
import type { Json } from "../../../src/core/json.ts";
import { MAX_OUTPUT_BYTES, MAX_SECRETS } from "../../../src/core/limits.ts";
import { maskText, maskValue, spellingsOf } from "../../../src/runtime/mask.ts";
import { Secrets } from "../../../src/runtime/secrets.ts";

const VALUE = 'Pä$$ "w/+rd~x\n!';

function masked(text: string, ...values: readonly string[]): string {
  return maskText(text, values.flatMap(spellingsOf));
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

describe("every spelling becomes ***", () => {
  const url = new URL("http://example.com/");
  url.searchParams.set("key", VALUE);
  const path = new URL(`http://example.com/${encodeURIComponent(VALUE)}`);
  test.each([
    ["as it is", VALUE],
    ["twice", `${VALUE} and ${VALUE}`],
    ["in JSON", JSON.stringify({ a: VALUE })],
    ["in JSON with escaped slashes", JSON.stringify(VALUE).replaceAll("/", "\\/")],
    ["in a URL's query", url.href],
    ["in a URL's path", path.href],
    ["percent-encoded", encodeURIComponent(VALUE)],
    ["percent-encoded in lower case", encodeURIComponent(VALUE).replaceAll(/%../g, lower)],
    ["as encodeURI does", encodeURI(VALUE)],
    ["in base64", base64(VALUE)],
    ["in base64 for URLs", Buffer.from(VALUE).toString("base64url")],
    ["in base64 behind a user's name", base64(`user:${VALUE}`)],
    ["in base64 behind one character", base64(`u${VALUE}`)],
    ["in base64 between others", base64(`{"token":"${VALUE}","n":1}`)],
  ])("%s", (_how, text) => {
    const said = masked(`<<${text}>>`, VALUE);
    expect(said).toContain("***");
    for (const spelling of spellingsOf(VALUE)) expect(said).not.toContain(spelling);
    expect(said.startsWith("<<")).toBe(true);
    expect(said.endsWith(">>")).toBe(true);
  });

  function lower(code: string): string {
    return code.toLowerCase();
  }
});

test.each([
  ["abcdef", ["abcd", "cdef"], "***"],
  ["xabcdefx", ["cdef", "abcd"], "x***x"],
  ["abcdabcd", ["abcd"], "***"],
  ["aaaaaaa", ["aaaa"], "***"],
  ["abcd abcd", ["abcd"], "*** ***"],
  ["abcdefgh", ["abcdefgh", "cdef"], "***"],
  ["abc", ["abcd"], "abc"],
  ["abc abc", ["abc"], "abc abc"],
  ["", ["abcd"], ""],
])("%j without %j is %j", (text, values, expected) => {
  expect(masked(text, ...values)).toBe(expected);
});

test.each([
  ["abcdefghij", 10, "abcdefghij"],
  ["abcdefghij", 9, "abcd"],
  ["xxxsecretx", 9, "xxx***"],
  ["xxxxsecretx", 9, "xxxx"],
  ["xxxxxsecretx", 9, "xxxx"],
  ["secretsecretsecret", 14, "***"],
  ["secret", 3, ""],
])("%j cut at %i without a secret is %j", (text, most, expected) => {
  expect(maskText(text, ["secret"], most)).toBe(expected);
});

test("a value of fewer than four characters is not looked for", () => {
  expect(spellingsOf("abc")).toEqual([]);
  expect(spellingsOf("")).toEqual([]);
  expect(spellingsOf("abcd")).toContain("abcd");
});

test("a spelling is never shorter than what stands for it", () => {
  for (const value of ["abcd", "\u0000\u0001\u0002\u0003", "....", "\ud800abc", VALUE]) {
    for (const spelling of spellingsOf(value)) expect(spelling.length).toBeGreaterThan(3);
  }
});

test("a value is masked in its texts and keys at every depth, and numbers stay", () => {
  const value: Json = {
    "9876": [9876, "9876", { deep: [null, true, "x9876x", { k9876: 1 }] }],
    plain: "as it stands",
  };
  expect(maskValue(value, spellingsOf("9876"))).toEqual({
    plain: "as it stands",
    "***": [9876, "***", { deep: [null, true, "x***x", { "k***": 1 }] }],
  });
});

test("keys that differ in what is masked are told apart, and none is lost", () => {
  const found = maskValue({ "a-1234": 1, "a-5678": 2, "a-***": 3 }, ["1234", "5678"]);
  expect(found).toEqual({ "a-***": 3, "a-***#2": 1, "a-***#3": 2 });
});

test("a key that would be a prototype stays a key of its own", () => {
  const given = JSON.parse('{"__proto__": {"a": "1234"}}') as Json;
  const found = maskValue(given, ["1234"]);
  expect(JSON.stringify(found)).toBe('{"__proto__":{"a":"***"}}');
});

test("a value that holds no secret is passed on as it is", () => {
  const value = { a: ["b", { c: "nothing here" }] };
  expect(new Secrets({ A: VALUE }).of(["A"]).value(value)).toBe(value);
  expect(new Secrets({}).of(["A"]).value(value)).toBe(value);
});

test("what JSON escapes is found in a value", () => {
  const secrets = new Secrets({ A: VALUE }).of(["A"]);
  for (const text of [VALUE, JSON.stringify(VALUE), JSON.stringify({ a: [VALUE] })]) {
    const found = JSON.stringify(secrets.value({ [text]: [text] }));
    expect(found).toContain("***");
    expect(found).not.toContain("$$");
  }
});

test("the largest output and the most secrets take less than 50 ms of the process", () => {
  const names = Array.from({ length: MAX_SECRETS }, (_, index) => `S${index}`);
  const values = names.map((name) => [name, base64(`${name} ${"k".repeat(20)}`)] as const);
  const secrets = new Secrets(Object.fromEntries(values)).of(names);
  const rows = Array.from({ length: 20_000 }, (_, index) => ({ id: index, text: `row ${index}` }));
  const padding = "y".repeat(MAX_OUTPUT_BYTES - JSON.stringify(rows).length - 100);
  const before = process.cpuUsage();
  secrets.value({ rows, padding });
  const { user, system } = process.cpuUsage(before);
  // Three times what DESIGN allows, as for every check of a time.
  expect((user + system) / 1000).toBeLessThan(150);
});
