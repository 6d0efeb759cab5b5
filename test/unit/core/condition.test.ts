// Conditions over choices against their truth tables, and what is said when the work is used up.
import fc from "fast-check";
import { expect, test } from "vitest";
import { ALWAYS, conjunction, covers, disjunction } from "../../../src/core/condition.ts";
import type { Condition, Cube, Logic } from "../../../src/core/condition.ts";

const CHOICES = { p: ["0", "1"], q: ["0", "1", "2"], r: ["0"] };

function logic(left = 1_000_000): Logic {
  return { values: new Map(Object.entries(CHOICES)), work: { left } };
}

const WORLDS: readonly Cube[] = CHOICES.p.flatMap((p) => {
  return CHOICES.q.map((q) => new Map([["p", p], ["q", q], ["r", "0"]]));
});

function holds(condition: Condition, world: Cube): boolean {
  return condition.some((cube) => [...cube].every(([choice, way]) => world.get(choice) === way));
}

const cubes = fc
  .record(
    { p: fc.constantFrom(...CHOICES.p), q: fc.constantFrom(...CHOICES.q), r: fc.constant("0") },
    { requiredKeys: [] },
  )
  .map((parts): Cube => new Map(Object.entries(parts)));
const conditions = fc.array(cubes, { maxLength: 6 });

test("or, and and simplification keep every truth value", () => {
  fc.assert(
    fc.property(conditions, conditions, (one, other) => {
      const both = conjunction(logic(), [one, other]);
      const simple = disjunction(logic(), one);
      for (const world of WORLDS) {
        expect(holds(simple, world)).toBe(holds(one, world));
        expect(holds(both, world)).toBe(holds(one, world) && holds(other, world));
      }
      expect(simple.length).toBeLessThanOrEqual(one.length);
    }),
  );
});

test("a condition covers a cube when it holds in all its worlds", () => {
  fc.assert(
    fc.property(conditions, cubes, (condition, cube) => {
      const expected = WORLDS.filter((world) => holds([cube], world)).every((world) => {
        return holds(condition, world);
      });
      expect(covers(logic(), condition, cube)).toBe(expected);
    }),
  );
});

test("all ways of a choice are no condition", () => {
  const all = CHOICES.q.map((way): Cube => new Map([["q", way]]));
  expect(disjunction(logic(), all)).toEqual(ALWAYS);
  expect(disjunction(logic(), [])).toEqual([]);
  expect(conjunction(logic(), [])).toEqual(ALWAYS);
});

test("used-up work never turns a no into a yes, and or keeps its meaning", () => {
  const all = CHOICES.p.map((way): Cube => new Map([["p", way]]));
  expect(covers(logic(), all, new Map())).toBe(true);
  expect(covers(logic(0), all, new Map())).toBe(false);
  expect(disjunction(logic(0), all)).toEqual(all);
  // Enough to compare the cubes, not to join them.
  expect(disjunction(logic(4), all)).toEqual(all);
});

test("too many cubes become one choice with what they have in common", () => {
  const values = new Map(Object.entries({ common: ["yes", "no"] }));
  const many = Array.from({ length: 65 }, (_, index): Cube => {
    values.set(`c${index}`, ["x", "y"]);
    return new Map([["common", "yes"], [`c${index}`, "x"]]);
  });
  const opaque = disjunction({ values, work: { left: 1_000_000 } }, many);
  expect(opaque.map((cube) => Object.fromEntries(cube))).toEqual([{ common: "yes", 66: "yes" }]);
  expect(values.get("66")).toEqual(["yes", "no"]);
  // The next one is another choice, although it stands for an equal condition.
  const [next] = disjunction({ values, work: { left: 1_000_000 } }, many);
  expect(next?.get("67")).toBe("yes");
});

test("more cubes than are ever compared become one choice at once", () => {
  const work = { left: 10 };
  const values = new Map<string, readonly string[]>();
  const many = Array.from({ length: 257 }, (_, index): Cube => new Map([[`c${index}`, "x"]]));
  expect(disjunction({ values, work }, many)).toHaveLength(1);
  expect(work.left).toBe(10);
});
