// Two texts side by side as a table: signs as well as colours tell what was taken out and what was
// put in, and each side has its own line numbers.
import { useMemo, useState } from "preact/hooks";
import { countsOf, diffRows, folded } from "./diff-rows.ts";
import type { DiffLine, DiffRow } from "./diff-rows.ts";
import { ScrollBox } from "./parts.tsx";
import { plural } from "./summary.ts";

interface DiffViewProps {
  readonly left: string;
  readonly right: string;
  readonly leftTitle: string;
  readonly rightTitle: string;
}

export function DiffView({ left, right, leftTitle, rightTitle }: DiffViewProps) {
  const rows = useMemo(() => diffRows(left, right), [left, right]);
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? rows : folded(rows);
  const { added, removed } = countsOf(rows);
  return (
    <>
      <div class="title-row">
        <p>
          <span class="added-text">+{plural(added, "line")}</span>{" "}
          <span class="removed-text">−{plural(removed, "line")}</span>
        </p>
        <label class="check">
          <input type="checkbox" checked={isWhole} onChange={() => setWhole(!isWhole)} /> Show equal
          lines
        </label>
      </div>
      <ScrollBox label="Pinned text beside today's text">
        <table class="diff">
          <caption class="unseen">
            {leftTitle} beside {rightTitle}
          </caption>
          <colgroup>
            <col class="line-number" />
            <col />
            <col class="line-number" />
            <col />
          </colgroup>
          <thead>
            <tr>
              <th scope="col" colSpan={2}>
                {leftTitle}
              </th>
              <th scope="col" colSpan={2}>
                {rightTitle}
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row, index) =>
              row.kind === "fold" ? (
                <tr key={index} class="fold-row">
                  <td colSpan={4}>
                    <span>{plural(row.rows.length, "equal line")}</span>
                  </td>
                </tr>
              ) : (
                <Row key={index} row={row} />
              ),
            )}
          </tbody>
        </table>
      </ScrollBox>
    </>
  );
}

function Row({ row: { kind, left, right } }: { readonly row: DiffRow }) {
  const isChanged = kind === "changed";
  return (
    <tr>
      <Side line={left} change={isChanged ? "removed" : undefined} />
      <Side line={right} change={isChanged ? "added" : undefined} />
    </tr>
  );
}

interface SideProps {
  readonly line: DiffLine | undefined;
  readonly change: "added" | "removed" | undefined;
}

const SIGNS = { added: "+", removed: "−" } as const;
const SAID = { added: "added: ", removed: "removed: " } as const;

function Side({ line, change }: SideProps) {
  if (line === undefined) {
    return (
      <>
        <td class="line-number" />
        <td class="line none" />
      </>
    );
  }
  return (
    <>
      <td class="line-number">{line.number}</td>
      <td class={`line ${change ?? ""}`}>
        {change === undefined ? null : (
          <>
            <span class="sign" aria-hidden="true">
              {SIGNS[change]}
            </span>
            <span class="unseen">{SAID[change]}</span>
          </>
        )}
        {line.text}
      </td>
    </>
  );
}
