// Small pieces that every view is built of. All text goes through Preact as text; nothing here, nor
// anywhere in the page, sets HTML.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { exactMoment, exactTime, relativeTime } from "./instant.ts";
import type { Json } from "./definition.ts";
import { errorText, useSession } from "./session.ts";
import { shortDigest } from "./summary.ts";
import type { JobStatus, Progress } from "./summary.ts";

/** "3 minutes ago", with the exact time for whoever points at it. */
export function TimeAgo({ at, now }: { readonly at: string; readonly now: number }) {
  return (
    <time dateTime={at} title={`${exactTime(at)} (${at})`}>
      {relativeTime(at, now)}
    </time>
  );
}

export function ExactTime({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={at}>
      {exactTime(at)}
    </time>
  );
}

/** To the millisecond. */
export function Moment({ at }: { readonly at: string }) {
  return (
    <time class="moment" dateTime={at} title={at}>
      {exactMoment(at)}
    </time>
  );
}

export function Digest({ digest }: { readonly digest: string }) {
  return (
    <code class="digest" title={digest}>
      {shortDigest(digest)}
    </code>
  );
}

/** Only where the browser lets a page write to the clipboard: over HTTPS, or on this machine. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const { announce } = useSession();
  const [isCopied, setCopied] = useState(false);
  if (!("clipboard" in navigator)) return null;
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => {
        setCopied(true);
        announce(`Copied ${what}`);
      },
      () => announce("The browser did not allow copying"),
    );
  };
  return (
    <button type="button" class="quiet small" onClick={copy} aria-label={`Copy ${what}`}>
      {isCopied ? "Copied" : "Copy"}
    </button>
  );
}

export function ProgressBar({ progress, status, label }: ProgressProps) {
  const { ended, total } = progress;
  if (total === 0) return <span class="dim">–</span>;
  return (
    <span class="progress">
      <progress
        class={status}
        value={ended}
        max={total}
        aria-label={label}
      />
      <span class="numbers">
        {ended}/{total}
      </span>
    </span>
  );
}

interface ProgressProps {
  readonly progress: Progress;
  readonly status: JobStatus;
  readonly label: string;
}

const COLLAPSE_CHARS = 2000;

/** Pretty JSON; a large one opens on demand. A text alone keeps its quotes: it is JSON. */
export function JsonBlock({ value, label }: { readonly value: unknown; readonly label: string }) {
  const text = JSON.stringify(value as Json, undefined, 2) ?? "";
  if (text.length <= COLLAPSE_CHARS) return <TextBlock text={text} label={label} />;
  return (
    <details class="fold">
      <summary>
        {label}: {text.length.toLocaleString("en")} characters
      </summary>
      <TextBlock text={text} label={label} />
    </details>
  );
}

/** May be wider than its place, so it scrolls, also by keyboard. */
export function TextBlock({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <pre class="block" role="region" aria-label={label} tabIndex={0}>
      {text}
    </pre>
  );
}

export function Failure({ error, children }: FailureProps) {
  return (
    <div class="notice bad" role="alert">
      <p>{errorText(error)}</p>
      {children}
    </div>
  );
}

interface FailureProps {
  readonly error: unknown;
  readonly children?: ComponentChildren;
}

export function Loading({ what }: { readonly what: string }) {
  return <p class="dim loading">Loading {what}…</p>;
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** One row of headings, each of its column. */
export function TableHead({ titles }: { readonly titles: readonly string[] }) {
  return (
    <thead>
      <tr>
        {titles.map((title) => (
          <th key={title} scope="col">
            {title}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** A list of names and values, as a table of two columns would be. */
export function Facts({ children }: { readonly children: ComponentChildren }) {
  return <dl class="facts">{children}</dl>;
}

export function Fact({ name, children }: FactProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface FactProps {
  readonly name: string;
  readonly children: ComponentChildren;
}

/** A table that may be wider than its place scrolls by itself, not the page. */
export function ScrollBox({ label, children }: ScrollBoxProps) {
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}

interface ScrollBoxProps {
  readonly label: string;
  readonly children: ComponentChildren;
}
