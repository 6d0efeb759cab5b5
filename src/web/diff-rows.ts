// Two texts side by side, line by line: equal lines face each other, removed ones stand left and
// added ones right. Long equal stretches fold. The comparison is bounded in time; what takes longer
// is shown as all removed and all added, which is never wrong.
import { diffLines } from "diff";

export interface DiffLine {
  readonly number: number;
  readonly text: string;
}

export interface DiffRow {
  readonly kind: "equal" | "changed";
  readonly left: DiffLine | undefined;
  readonly right: DiffLine | undefined;
}

export interface DiffFold {
  readonly kind: "fold";
  readonly rows: readonly DiffRow[];
}

const TIMEOUT_MS = 1000;
/** Equal lines that stay beside a change. */
const CONTEXT = 3;

function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

export function diffRows(left: string, right: string): readonly DiffRow[] {
  const found = diffLines(left, right, { timeout: TIMEOUT_MS });
  const changes = found ?? [
    { value: left, removed: true, added: false },
    { value: right, removed: false, added: true },
  ];
  const rows: DiffRow[] = [];
  const at = { left: 0, right: 0 };
  let removed: DiffLine[] = [];
  const flush = (added: readonly DiffLine[]): void => {
    const count = Math.max(removed.length, added.length);
    for (let index = 0; index < count; index += 1) {
      rows.push({ kind: "changed", left: removed[index], right: added[index] });
    }
    removed = [];
  };
  for (const { value, removed: isRemoved, added: isAdded } of changes) {
    const lines = linesOf(value);
    if (isRemoved) {
      removed = lines.map((text) => ({ number: (at.left += 1), text }));
    } else if (isAdded) {
      flush(lines.map((text) => ({ number: (at.right += 1), text })));
    } else {
      flush([]);
      for (const text of lines) {
        const [one, other] = [(at.left += 1), (at.right += 1)];
        rows.push({
          kind: "equal",
          left: { number: one, text },
          right: { number: other, text },
        });
      }
    }
  }
  flush([]);
  return rows;
}

/** The rows with long equal stretches folded to their edges. */
export function folded(rows: readonly DiffRow[]): readonly (DiffRow | DiffFold)[] {
  const isNear = rows.map((_, index) =>
    rows
      .slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1)
      .some(({ kind }) => kind === "changed"),
  );
  const shown: (DiffRow | DiffFold)[] = [];
  let hidden: DiffRow[] = [];
  const flush = (): void => {
    // A fold of one line would take the place of that line.
    if (hidden.length > 1) shown.push({ kind: "fold", rows: hidden });
    else shown.push(...hidden);
    hidden = [];
  };
  rows.forEach((row, index) => {
    if (isNear[index] !== true) {
      hidden.push(row);
      return;
    }
    flush();
    shown.push(row);
  });
  flush();
  return shown;
}

export interface DiffCounts {
  readonly added: number;
  readonly removed: number;
}

export function countsOf(rows: readonly DiffRow[]): DiffCounts {
  const changed = rows.filter(({ kind }) => kind === "changed");
  return {
    added: changed.filter(({ right }) => right !== undefined).length,
    removed: changed.filter(({ left }) => left !== undefined).length,
  };
}
