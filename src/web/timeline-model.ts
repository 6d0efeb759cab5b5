// The bars of a timeline, one row per node, with places as shares of the whole span. A fan_out of
// thousands of items is one row: its chunks lie over each other and are counted.
import type { TimelineBar } from "../api/wire.ts";
import { millisOf } from "./instant.ts";

export interface PlacedBar {
  readonly bar: TimelineBar;
  /** Shares of the span, 0 to 1. */
  readonly from: number;
  readonly length: number;
  readonly seconds: number;
}

export interface TimelineRow {
  readonly nodeId: string;
  readonly bars: readonly PlacedBar[];
  /** Of a fan_out: chunks, and items that were handed in. */
  readonly chunks: number;
  readonly items: number;
}

export interface TimelineSpan {
  readonly start: number;
  readonly end: number;
}

/** From the first moment that anything shows to the last, or to `now` while something runs. */
export function spanOf(bars: readonly TimelineBar[], now: number): TimelineSpan | undefined {
  const starts = bars.flatMap((bar) => momentsOf(bar).slice(0, 1));
  if (starts.length === 0) return undefined;
  const ends = bars.map((bar) => endOf(bar, now));
  const start = least(starts);
  return { start, end: Math.max(start + 1, most(ends)) };
}

// Not Math.min(...starts): a timeline may have more bars than a call may have arguments.
function least(values: readonly number[]): number {
  return values.reduce((one, other) => Math.min(one, other), Infinity);
}

function most(values: readonly number[]): number {
  return values.reduce((one, other) => Math.max(one, other), -Infinity);
}

function momentsOf({ started_at, queued_at, ended_at }: TimelineBar): readonly number[] {
  return [started_at, queued_at, ended_at].flatMap((instant) => {
    const millis = instant === undefined ? undefined : millisOf(instant);
    return millis === undefined ? [] : [millis];
  });
}

function endOf(bar: TimelineBar, now: number): number {
  const ended = bar.ended_at === undefined ? undefined : millisOf(bar.ended_at);
  if (ended !== undefined) return ended;
  return bar.status === "running" ? now : (momentsOf(bar)[0] ?? -Infinity);
}

export function rowsOf(
  bars: readonly TimelineBar[],
  { start, end }: TimelineSpan,
): readonly TimelineRow[] {
  const byNode = new Map<string, TimelineBar[]>();
  for (const bar of bars) {
    const own = byNode.get(bar.node_id);
    if (own === undefined) byNode.set(bar.node_id, [bar]);
    else own.push(bar);
  }
  return [...byNode].map(([nodeId, own]) => ({
    nodeId,
    chunks: own.filter(({ kind }) => kind === "chunk").length,
    items: own.reduce((sum, { items = 0 }) => sum + items, 0),
    bars: own.flatMap((bar): readonly PlacedBar[] => {
      const [from] = momentsOf(bar);
      if (from === undefined) return [];
      const until = Math.max(from, endOf(bar, end));
      const span = end - start;
      return [
        {
          bar,
          from: (from - start) / span,
          length: (until - from) / span,
          seconds: (until - from) / 1000,
        },
      ];
    }),
  }));
}

/** Three to six round numbers of seconds between zero and the span's length. */
export function ticksOf({ start, end }: TimelineSpan): readonly number[] {
  const seconds = (end - start) / 1000;
  const rough = seconds / 5;
  const scale = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * scale).find((size) => size >= rough) ?? rough;
  const count = Math.floor(seconds / step);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}
