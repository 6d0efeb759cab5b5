// Instants as ISO-8601 UTC strings with milliseconds; the only file that touches Date.
// Strings of this one form compare and sort as the instants do.

/** `2026-11-22T10:00:00.000Z`. */
export type Instant = string;

const FORM = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Whether `text` is an instant in our form. Date.parse alone takes 30 February for 2 March. */
export function isInstant(text: string): boolean {
  if (!FORM.test(text)) return false;
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && instantOf(ms) === text;
}

export function instantOf(epochMs: number): Instant {
  return new Date(epochMs).toISOString();
}

export function epochMs(instant: Instant): number {
  return Date.parse(instant);
}

export function addSeconds(instant: Instant, seconds: number): Instant {
  return instantOf(epochMs(instant) + Math.round(seconds * 1000));
}

export function secondsBetween(from: Instant, to: Instant): number {
  return (epochMs(to) - epochMs(from)) / 1000;
}

export function later(a: Instant, b: Instant): Instant {
  return a > b ? a : b;
}

export function earliest(instants: readonly Instant[]): Instant | undefined {
  return instants.reduce<Instant | undefined>(
    (first, instant) => (first === undefined || instant < first ? instant : first),
    undefined,
  );
}
