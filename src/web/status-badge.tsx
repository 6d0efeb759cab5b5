// Statuses of jobs, nodes and attempts: a word, a shape and a colour, so that no reader needs the
// colour. Every status that a later build may send has the shape of an open question.
import type { ComponentChildren } from "preact";

export type Tone = "wait" | "run" | "good" | "bad" | "off" | "warn";

interface Look {
  readonly tone: Tone;
  readonly shape: ComponentChildren;
}

const CIRCLE = <circle cx="8" cy="8" r="5.5" />;
const LOOKS: Readonly<Record<string, Look>> = {
  pending: { tone: "wait", shape: CIRCLE },
  queued: {
    tone: "wait",
    shape: (
      <>
        {CIRCLE}
        <path d="M8 5v3.2l2 1.4" />
      </>
    ),
  },
  waiting: { tone: "wait", shape: <path d="M4.5 3h7L8 8l3.5 5h-7L8 8z" /> },
  suspended: { tone: "warn", shape: <path d="M5.5 4v8M10.5 4v8" /> },
  running: { tone: "run", shape: <path d="M5 3.5 12 8l-7 4.5z" /> },
  cancelling: { tone: "warn", shape: <path d="M4.5 4.5h7v7h-7z" /> },
  completed: { tone: "good", shape: <path d="m3 8.5 3.2 3.2L13 4.6" /> },
  failed: { tone: "bad", shape: <path d="m4 4 8 8m0-8-8 8" /> },
  timed_out: { tone: "bad", shape: <path d="M4.5 3h7L8 8l3.5 5h-7L8 8z" /> },
  lost: { tone: "bad", shape: <path d="M8 3v6m0 3v.5" /> },
  cancelled: {
    tone: "off",
    shape: (
      <>
        {CIRCLE}
        <path d="m4.2 4.2 7.6 7.6" />
      </>
    ),
  },
  skipped: { tone: "off", shape: <path d="m3 4 4 4-4 4m6-8 4 4-4 4" /> },
};
const UNKNOWN: Look = {
  tone: "wait",
  shape: <path d="M5.5 6A2.5 2.5 0 1 1 8 8.5V10m0 2.5v.5" />,
};

function lookOf(status: string): Look {
  return Object.hasOwn(LOOKS, status) ? (LOOKS[status] ?? UNKNOWN) : UNKNOWN;
}

export function toneOf(status: string): Tone {
  return lookOf(status).tone;
}

/** The lines of a status' shape, in a box of 16 by 16. */
export function statusShape(status: string): ComponentChildren {
  return lookOf(status).shape;
}

export function statusText(status: string): string {
  return status.replaceAll("_", " ");
}

export function StatusBadge({ status }: { readonly status: string }) {
  return (
    <span class={`badge tone-${toneOf(status)}`} data-status={status}>
      <svg class="shape" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
        {statusShape(status)}
      </svg>
      {statusText(status)}
    </span>
  );
}
