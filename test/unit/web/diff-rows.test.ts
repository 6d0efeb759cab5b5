// Two texts side by side: every line stands once on its side, in order.
import fc from "fast-check";
import { expect, test } from "vitest";
import { countsOf, diffRows, folded } from "../../../src/web/diff-rows.ts";

const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join("");

test("changed lines face each other, and the rest is equal", () => {
  const rows = diffRows("a\nold\nz\n", "a\nnew\nmore\nz\n");
  expect(rows.map(({ kind, left, right }) => [kind, left?.text, right?.text])).toEqual([
    ["equal", "a", "a"],
    ["changed", "old", "new"],
    ["changed", undefined, "more"],
    ["equal", "z", "z"],
  ]);
  expect(countsOf(rows)).toEqual({ added: 2, removed: 1 });
});

test("both sides read from top to bottom as the texts do", () => {
  const text = fc
    .array(fc.constantFrom("a", "b", "", "c: d"), { maxLength: 12 })
    .map((lines) => lines.map((line) => `${line}\n`).join(""));
  fc.assert(
    fc.property(text, text, (left, right) => {
      const rows = diffRows(left, right);
      for (const [side, whole] of [["left", left], ["right", right]] as const) {
        const lines = rows.flatMap((row) => row[side] ?? []);
        expect(lines.map(({ text: line }) => `${line}\n`).join("")).toBe(whole);
        expect(lines.map(({ number }) => number)).toEqual(lines.map((_, index) => index + 1));
      }
    }),
  );
});

test("long equal stretches fold to three lines beside each change", () => {
  const rows = diffRows(numbered(1, 30), numbered(1, 30).replace("line 15\n", "other\n"));
  const shown = folded(rows);
  const folds = shown.flatMap((row) => (row.kind === "fold" ? [row.rows.length] : []));
  expect(folds).toEqual([11, 12]);
  expect(shown).toHaveLength(2 + 7);
});

test("equal texts are one fold, and one equal line is no fold", () => {
  expect(folded(diffRows(numbered(1, 9), numbered(1, 9)))).toHaveLength(1);
  expect(folded(diffRows("a\n", "a\n"))).toMatchObject([{ kind: "equal" }]);
  expect(diffRows("", "")).toEqual([]);
});
