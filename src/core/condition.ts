// Conditions over choices, as far as the checker of definitions needs them: "or", "and", and
// whether one follows from another. A condition is a list of cubes, of which one must hold; a cube
// is a set of choices, all of which must have been made. Each question costs a bounded time.

import { invariant } from "./error.ts";

/** Choice by name, with the way that was taken. */
export type Cube = ReadonlyMap<string, string>;
export type Condition = readonly Cube[];

export const ALWAYS: Condition = [new Map()];

export interface Logic {
  /** All ways of each choice. */
  readonly values: Map<string, readonly string[]>;
  /** Comparisons left; each call takes from it. */
  readonly work: { left: number };
}

/** Structured graphs need a handful; above this, a whole condition becomes a choice of its own. */
const MAX_CUBES = 64;
/** A conditional has at most 100 branches; joining them all must still collapse. */
const MAX_JOINED = 256;

/** One of the cubes holds. */
export function disjunction(logic: Logic, cubes: readonly Cube[]): Condition {
  const distinct = [...new Map(cubes.map((cube) => [keyOf(cube), cube])).values()];
  const simple = distinct.length > MAX_JOINED ? distinct : simplified(logic, distinct);
  return simple.length > MAX_CUBES ? opaque(logic, simple) : simple;
}

/** All conditions hold. */
export function conjunction(logic: Logic, conditions: readonly Condition[]): Condition {
  const cubes = conditions.reduce((all, one) => all.flatMap((cube) => combined(cube, one)), ALWAYS);
  return disjunction(logic, cubes);
}

function combined(cube: Cube, condition: Condition): Condition {
  return condition
    .filter((other) => !conflicts(cube, other))
    .map((other) => new Map([...cube, ...other]));
}

/** Whether the condition holds in every case in which `cube` does. */
export function covers(logic: Logic, condition: Condition, cube: Cube): boolean {
  logic.work.left -= condition.length * (cube.size + 1);
  if (logic.work.left < 0) return false;
  const open = condition
    .filter((other) => !conflicts(cube, other))
    .map((other) => new Map([...other].filter(([choice]) => !cube.has(choice))));
  if (open.some((other) => other.size === 0)) return true;
  const [choice] = open[0]?.keys() ?? [];
  if (choice === undefined) return false;
  const ways = logic.values.get(choice);
  invariant(ways !== undefined, `the ways of the choice "${choice}" are known`);
  return ways.every((way) => covers(logic, open, new Map([[choice, way]])));
}

function conflicts(one: Cube, other: Cube): boolean {
  for (const [choice, way] of one) {
    const otherWay = other.get(choice);
    if (otherWay !== undefined && otherWay !== way) return true;
  }
  return false;
}

/** Drops what another cube says already, and joins cubes that differ in one choice, all ways. */
function simplified(logic: Logic, cubes: readonly Cube[]): Condition {
  let left = absorbed(logic, cubes);
  for (let before = -1; before !== left.length; ) {
    before = left.length;
    left = absorbed(logic, [...joined(logic, left), ...left]);
  }
  return left;
}

function absorbed(logic: Logic, cubes: readonly Cube[]): Condition {
  logic.work.left -= cubes.length * cubes.length;
  if (logic.work.left < 0) return cubes;
  const kept: Cube[] = [];
  for (const cube of [...cubes].sort((a, b) => a.size - b.size)) {
    if (!kept.some((smaller) => contains(cube, smaller))) kept.push(cube);
  }
  return kept;
}

function contains(cube: Cube, smaller: Cube): boolean {
  for (const [choice, way] of smaller) if (cube.get(choice) !== way) return false;
  return true;
}

function joined(logic: Logic, cubes: Condition): Condition {
  const groups = new Map<string, { rest: Cube; choice: string; count: number }>();
  for (const cube of cubes) {
    logic.work.left -= cube.size * cube.size;
    if (logic.work.left < 0) return [];
    for (const choice of cube.keys()) {
      const rest = new Map([...cube].filter(([other]) => other !== choice));
      const key = JSON.stringify([choice, keyOf(rest)]);
      const group = groups.get(key) ?? { rest, choice, count: 0 };
      groups.set(key, { ...group, count: group.count + 1 });
    }
  }
  return [...groups.values()]
    .filter(({ choice, count }) => count === logic.values.get(choice)?.length)
    .map(({ rest }) => rest);
}

/** Equal cubes have equal keys. */
function keyOf(cube: Cube): string {
  return JSON.stringify([...cube].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The whole condition as one choice, together with what all its cubes have in common. */
function opaque(logic: Logic, cubes: Condition): Condition {
  const [first = new Map<string, string>(), ...others] = cubes;
  const common = [...first].filter(([choice, way]) => {
    return others.every((cube) => cube.get(choice) === way);
  });
  // Unique, because each one adds itself; no node id begins with a digit.
  const choice = String(logic.values.size);
  logic.values.set(choice, ["yes", "no"]);
  return [new Map([...common, [choice, "yes"]])];
}
