// Names that stand twice in a JSON text, and integers that would be rounded: found wherever they
// are, and nothing else is.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRounded, jsonTextProblems } from "../../../src/api/json-text.ts";

function check(text: string, expected: readonly string[], most = 10): void {
  JSON.parse(text);
  const found = jsonTextProblems(text, most);
  expect(found.map(({ pointer }) => pointer), text).toEqual(expected);
}

describe("a name that stands twice", () => {
  test("texts without an object have none", () => {
    for (const text of ["1", "null", '"a"', "[]", '["a", "a"]', '[["a"], "a"]', " {} "]) {
      check(text, []);
    }
  });

  test("a name that comes again is found, as often as it comes", () => {
    check('{"a": 1, "a": 2}', ["/a"]);
    check('{"a": 1, "b": 2, "a": 3, "a": 4}', ["/a", "/a"]);
  });

  test("only the names of the same object count", () => {
    check('{"a": {"a": 1}, "b": {"a": 2}}', []);
    check('[{"a": 1}, {"a": 2}]', []);
    check('{"a": [{"b": 1}, {"b": 1, "b": 2}]}', ["/a/1/b"]);
    check('{"a": {"b": [], "b": {}}, "c": 1, "c": 2}', ["/a/b", "/c"]);
  });

  test("a string value is no name", () => {
    check('{"a": "a", "b": "a"}', []);
    check('{"a": ["b", "b"], "b": "}"}', []);
  });

  test("names are compared as they are read, not as they are spelt", () => {
    check('{"a": 1, "\\u0061": 2}', ["/a"]);
    check('{"\\"": 1, "\\\\": 2, "\\"": 3}', ['/"']);
    check('{"a/b": 1, "a/b": 2, "~": 1, "~": 2}', ["/a~1b", "/~0"]);
  });

  test("stops at the number asked for", () => {
    check('{"a":1,"a":1,"a":1,"a":1}', ["/a", "/a"], 2);
  });

  test("depth costs no stack", () => {
    const deep = `${'{"a":'.repeat(5_000)}{"b":1,"b":2}${"}".repeat(5_000)}`;
    expect(jsonTextProblems(deep, 1)).toHaveLength(1);
  });

  test("a place is no longer than a pointer may be", () => {
    const many = Array.from({ length: 100 }, () => '"a":1').join(",");
    const long = `{"b":{"${"n".repeat(200_000)}":{${many}}}}`;
    expect(new Set(jsonTextProblems(long, 100).map(({ pointer }) => pointer))).toEqual(
      new Set(["/b"]),
    );
  });

  test("whatever JSON.stringify writes has none, and doubling a member is found", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (value, name) => {
        const text = JSON.stringify(value);
        expect(jsonTextProblems(text, 10)).toEqual([]);
        const key = JSON.stringify(name);
        const inside = `{${key}:${text},${key}:[${text}]}`;
        expect(jsonTextProblems(inside, 10)).toHaveLength(1);
      }),
    );
  });
});

describe("an integer that would be rounded", () => {
  test("is found at its place, inside texts it is not", () => {
    check('[1, {"a": 9007199254740993, "b": "9007199254740993"}]', ["/1/a"]);
    check('{"12345678901234567890": 1, "a": [12, -12345678901234567890]}', ["/a/1"]);
    check("12345678901234567890", [""]);
    const [problem] = jsonTextProblems('{"a":12345678901234567890}', 10);
    expect(problem?.message).toBe(
      "the integer 12345678901234567890 cannot be kept exactly: send it as a text",
    );
    const [long] = jsonTextProblems(`[1${"2".repeat(100)}]`, 10);
    expect(long?.message).toContain(`1${"2".repeat(39)}… cannot`);
  });

  test.each(["0", "-0", "9007199254740991", "9007199254740992", "-100000000000000000000"])(
    "%s is kept",
    (text) => expect(isRounded(text)).toBe(false),
  );

  test.each(["9007199254740993", "-9007199254740993", "1152921504606846977"])("%s is not", (text) =>
    expect(isRounded(text)).toBe(true),
  );

  test("fractions and powers are measures, not names of things: they are left alone", () => {
    check("[0.12345678901234567890, 1.5e30, 12345678901234567890.5]", []);
  });

  test("whatever a program writes of a number that it holds is kept", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(jsonTextProblems(JSON.stringify(value), 1)).toEqual([]);
      }),
    );
  });
});
