// Turns of the event loop, one for each piece of work that takes long. However many wait, between
// two of them the process serves whatever else came in.
import type { Clock } from "./ports.ts";

const waiting: (() => void)[] = [];

/** Calls `work` in a turn of its own, in the order of asking; answers how to call it off. */
export function inTurn(work: () => void): () => void {
  waiting.push(work);
  if (waiting.length === 1) setImmediate(serve);
  return () => {
    const at = waiting.indexOf(work);
    // The first one's turn is on its way already.
    if (at > 0) waiting.splice(at, 1);
    else if (at === 0) waiting[0] = () => undefined;
  };
}

function serve(): void {
  const work = waiting.shift();
  if (waiting.length > 0) setImmediate(serve);
  work?.();
}

/** The next turn of a clock: of the event loop, or of a test that says when time moves. */
export function nextTurn(clock: Clock): Promise<void> {
  return new Promise((resume) => clock.after(0, resume));
}
