// The queue trigger's polling delays.

import { expect, test } from "vitest";
import { createPolling } from "../../../src/local/polling.ts";

function delays(maximumMs: number, random: number, rounds: number): readonly number[] {
  const polling = createPolling(maximumMs, () => random);
  return Array.from({ length: rounds }, () => Math.round(polling.next()));
}

test("delays double from 200 ms up to the maximum and stay there", () => {
  expect(delays(2_000, 0.5, 7)).toEqual([200, 300, 500, 900, 1_700, 2_000, 2_000]);
});

test("each delay is spread by a fifth to both sides", () => {
  expect(delays(60_000, 0, 3)).toEqual([180, 260, 420]);
  expect(delays(60_000, 1, 3)).toEqual([220, 340, 580]);
});

test("a found message begins again", () => {
  const polling = createPolling(300, () => 0.5);
  expect([polling.next(), polling.next(), polling.next()]).toEqual([200, 300, 300]);
  polling.reset();
  expect(polling.next()).toBe(200);
});
