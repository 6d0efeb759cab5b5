// Turns: each piece of work gets one of its own, in order, and others come in between.
import { expect, test } from "vitest";
import { inTurn } from "../../../src/runtime/turn.ts";

/** Somebody else who waits for the event loop. */
function anotherTurn(): Promise<void> {
  return new Promise((resume) => setImmediate(resume));
}

test("work is done in order, and between two pieces whoever waits is served", async () => {
  const seen: string[] = [];
  for (const name of ["a", "b", "c"]) inTurn(() => seen.push(name));
  for (const other of ["1", "2", "3", "4"]) {
    await anotherTurn();
    seen.push(other);
  }
  expect(seen).toEqual(["a", "1", "b", "2", "c", "3", "4"]);
});

test("work that was called off is not done, whether it was the next or not", async () => {
  const seen: string[] = [];
  const [first, , third] = ["a", "b", "c", "d"].map((name) => inTurn(() => seen.push(name)));
  first?.();
  third?.();
  first?.();
  for (let turn = 0; turn < 5; turn += 1) await anotherTurn();
  third?.();
  expect(seen).toEqual(["b", "d"]);
});
