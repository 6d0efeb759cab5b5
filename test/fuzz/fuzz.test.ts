// A little of what the prover runs, by seed: nothing breaks, cases stay within their counts, and
// the generators make what they are meant to make. Also that the fuzzer itself sees what is wrong.
import { expect, test } from "vitest";
import { fuzz, replay } from "./fuzz.ts";
import { ROUTES } from "../../src/functions/routes.ts";
import type { FuzzKind } from "./fuzz.ts";
import { prototypeChanges, prototypesNow } from "./prototypes.ts";

const SEED = 20_261_122;

async function clean(kind: FuzzKind, count: number): Promise<Readonly<Record<string, number>>> {
  const { cases, failures, slowest, tally } = await fuzz({ kind, seed: SEED, count });
  expect(failures).toEqual([]);
  expect(cases).toBe(count);
  console.log(`${kind}: seed ${SEED}, slowest ${slowest.ms.toFixed(0)} ms of processor time`);
  return tally;
}

test("250 YAML files are read or refused", async () => {
  const { accepted, refused } = await clean("yaml", 250);
  expect(accepted).toBeGreaterThan(10);
  expect(refused).toBeGreaterThan(50);
});

test("250 expressions have a value, a refusal or a typed error; CEL agrees", async () => {
  const tally = await clean("expressions", 250);
  const equal = Number(tally["equal value"]) + Number(tally["equal error"]);
  expect(equal).toBeGreaterThan(50);
  expect(tally["value"]).toBeGreaterThan(0);
});

test("250 templates are rendered or refused", async () => {
  const { value, refused } = await clean("templates", 250);
  expect(value).toBeGreaterThan(50);
  expect(refused).toBeGreaterThan(50);
});

test("100 HTTP requests of each route are answered as described", async () => {
  const tally = await clean("http", 4_000);
  for (const { name } of ROUTES) expect(tally[name], name).toBeGreaterThanOrEqual(100);
  for (const status of ["200", "202", "400", "404", "409", "413", "415"]) {
    expect(tally[status], status).toBeGreaterThan(0);
  }
});

test("250 queue messages change nothing that they may not", async () => {
  expect((await clean("queue", 250))["a message"]).toBeGreaterThan(75);
});

test("250 values of handlers end as outcomes that can be stored", async () => {
  const { completed, failed } = await clean("outputs", 250);
  expect(completed).toBeGreaterThan(50);
  expect(failed).toBeGreaterThan(50);
});

test("the same seed makes the same cases", async () => {
  const [one, other] = [await clean("expressions", 250), await clean("expressions", 250)];
  expect(other).toEqual(one);
});

test("a case is run again by its seed and path", async () => {
  expect(await replay("expressions", SEED, "7")).toBe("holds");
});

test("a changed prototype is seen, whether a member came, went or was replaced", () => {
  const before = prototypesNow();
  expect(prototypeChanges(before)).toEqual([]);
  const own = Object.getOwnPropertyDescriptor(Array.prototype, "at") ?? {};
  Object.defineProperty(Object.prototype, "polluted", { value: 1, configurable: true });
  Object.defineProperty(Array.prototype, "at", { ...own, value: () => undefined });
  try {
    expect(prototypeChanges(before)).toEqual([
      "a built-in was changed: polluted",
      "a built-in was changed: at",
    ]);
  } finally {
    Object.defineProperty(Array.prototype, "at", own);
    Reflect.deleteProperty(Object.prototype, "polluted");
  }
  expect(prototypeChanges(before)).toEqual([]);
});
