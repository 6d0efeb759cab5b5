// Names that stand twice in a JSON text: found wherever they are, and nothing else is.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { duplicateNames } from "../../../src/core/duplicate-names.ts";

function check(text: string, expected: readonly string[], most = 10): void {
  JSON.parse(text);
  expect(duplicateNames(text, most), text).toEqual(expected);
}

describe("duplicateNames", () => {
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
    expect(duplicateNames(deep, 1)).toHaveLength(1);
  });

  test("whatever JSON.stringify writes has none, and doubling a member is found", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (value, name) => {
        const text = JSON.stringify(value);
        expect(duplicateNames(text, 10)).toEqual([]);
        const key = JSON.stringify(name);
        const inside = `{${key}:${text},${key}:[${text}]}`;
        expect(duplicateNames(inside, 10)).toHaveLength(1);
      }),
    );
  });
});
