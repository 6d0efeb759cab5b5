// Asking for what moves: one question at a time, and no answer thrown away for being slow.
import { expect, test } from "vitest";
import { ApiError } from "../../../src/client/client.ts";
import { Refresher } from "../../../src/web/refresher.ts";

interface Asked {
  readonly answer: (value: number) => void;
  readonly fail: (error: unknown) => void;
}

function started() {
  const asked: Asked[] = [];
  const told: unknown[] = [];
  const pauses: number[] = [];
  const refresher = new Refresher<number>({
    load: () =>
      new Promise((answer, fail) => {
        asked.push({ answer, fail });
      }),
    onValue: (value) => told.push(value),
    onError: (error) => told.push(String(error)),
    pause: async (ms) => void pauses.push(ms),
  });
  refresher.ask();
  return { refresher, asked, told, pauses };
}

/** Until nothing more follows from what has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("an answer slower than what it is about is shown, and one more is asked for", async () => {
  const { refresher, asked, told } = started();
  for (let moves = 0; moves < 5; moves += 1) refresher.ask();
  expect(asked).toHaveLength(1);
  asked[0]?.answer(1);
  await settled();
  expect([told, asked.length]).toEqual([[1], 2]);
  asked[1]?.answer(2);
  await settled();
  expect([told, asked.length]).toEqual([[1, 2], 2]);
});

test("what fails for a reason that passes is asked again", async () => {
  const { asked, told, pauses } = started();
  asked[0]?.fail(new TypeError("fetch failed"));
  await settled();
  asked[1]?.fail(new ApiError(503, undefined));
  await settled();
  asked[2]?.answer(3);
  await settled();
  expect([told.length, told.at(-1), pauses]).toEqual([3, 3, [3000, 3000]]);
});

test("what is refused is not asked again until something moves", async () => {
  const { refresher, asked, told, pauses } = started();
  asked[0]?.fail(new ApiError(404, undefined));
  await settled();
  expect([asked.length, told.length, pauses]).toEqual([1, 1, []]);
  refresher.ask();
  expect(asked).toHaveLength(2);
});

test("nothing is told after the end", async () => {
  const { refresher, asked, told } = started();
  refresher.ask();
  refresher.stop();
  asked[0]?.answer(1);
  await settled();
  expect([told, asked.length]).toEqual([[], 1]);
});
