// Bars of a timeline: places are shares of the span, and nothing leaves it.
import { expect, test } from "vitest";
import type { TimelineBar } from "../../../src/api/wire.ts";
import { rowsOf, spanOf, ticksOf } from "../../../src/web/timeline-model.ts";

const second = (offset: number): string => {
  return `2026-11-22T20:40:${String(offset).padStart(2, "0")}.000Z`;
};
const START = 1_795_380_000_000;
type More = Partial<TimelineBar>;
const bar = (from: number, to: number | undefined, more: More = {}): TimelineBar => ({
  node_id: "a",
  kind: "attempt",
  attempt: 1,
  status: to === undefined ? "running" : "completed",
  started_at: second(from),
  ...(to === undefined ? {} : { ended_at: second(to) }),
  ...more,
});

test("bars of a node are one row, in shares of the span", () => {
  const bars = [bar(0, 4), bar(4, 10, { attempt: 2 }), bar(5, 10, { node_id: "b" })];
  const span = spanOf(bars, START);
  expect(span).toEqual({ start: START, end: START + 10_000 });
  const rows = rowsOf(bars, span!);
  expect(rows.map(({ nodeId, bars: own }) => [nodeId, own.map((one) => [one.from, one.length])]))
    .toEqual([["a", [[0, 0.4], [0.4, 0.6]]], ["b", [[0.5, 0.5]]]]);
  expect(rows[0]?.bars[1]?.seconds).toBe(6);
});

test("what runs reaches to now, and what only waits has no length", () => {
  const bars = [bar(0, undefined), { node_id: "b", kind: "node", status: "queued" } as const];
  const span = spanOf([...bars, bar(2, 2)], START + 8_000);
  expect(span?.end).toBe(START + 8_000);
  expect(rowsOf(bars, span!).map(({ bars: own }) => own.length)).toEqual([1, 0]);
  expect(rowsOf(bars, span!)[0]?.bars[0]?.length).toBe(1);
});

test("the chunks of a fan_out are counted with their items", () => {
  const chunks = Array.from({ length: 40 }, (_, chunk): TimelineBar => {
    return bar(0, 1, { kind: "chunk", chunk, items: 25 });
  });
  const rows = rowsOf(chunks, spanOf(chunks, START)!);
  expect(rows).toMatchObject([{ nodeId: "a", chunks: 40, items: 1000 }]);
});

test("no bar has no span, and one moment has the shortest", () => {
  expect(spanOf([], START)).toBeUndefined();
  expect(spanOf([bar(3, 3)], START)).toEqual({ start: START + 3_000, end: START + 3_001 });
});

test.each([
  [10, [0, 2, 4, 6, 8, 10]],
  [0.9, [0, 0.2, 0.4, 0.6, 0.8]],
  [4_000, [0, 1000, 2000, 3000, 4000]],
])("%d seconds have round ticks", (seconds, ticks) => {
  const found = ticksOf({ start: START, end: START + seconds * 1000 });
  expect(found.map((tick) => Number(tick.toFixed(6)))).toEqual(ticks);
});
