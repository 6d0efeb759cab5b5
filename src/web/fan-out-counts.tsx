// A fan_out is one node however many items it has: counts and a small bar instead of a thousand
// boxes.
import type { JobNodeRow } from "../api/wire.ts";

interface FanOutCountsProps {
  readonly row: JobNodeRow | undefined;
  readonly width: number;
}

const SIDE = 12;

/** Drawn inside the node's box, in its own coordinates. */
export function FanOutCounts({ row, width }: FanOutCountsProps) {
  const room = width - 2 * SIDE;
  const items = row?.items;
  const share = (count: number): number =>
    items === undefined || items.count === 0 ? 0 : (count / items.count) * room;
  const good = share(items?.completed ?? 0);
  return (
    <g class="counts">
      <rect class="bar" x={SIDE} y="46" width={room} height="5" rx="2.5" />
      <rect class="bar good" x={SIDE} y="46" width={good} height="5" rx="2.5" />
      <rect class="bar bad" x={SIDE + good} y="46" width={share(items?.failed ?? 0)} height="5" />
      <text class="what" x={SIDE} y="65">
        {items === undefined ? "one per item" : countsText(items)}
      </text>
    </g>
  );
}

export function countsText(items: JobNodeRow["items"] & object): string {
  const { count, completed, failed } = items;
  const bad = failed === 0 ? "" : `, ${failed.toLocaleString("en")} failed`;
  return `${completed.toLocaleString("en")} of ${count.toLocaleString("en")}${bad}`;
}
