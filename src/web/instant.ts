// Times as a person reads them. Instants stay the strings that the API sends; only this file of the
// page reads them, and asks the clock. What is no instant is shown as it is.

/** Milliseconds since 1970, or undefined for a text that is no instant. */
export function millisOf(instant: string): number | undefined {
  const millis = Date.parse(instant);
  return Number.isNaN(millis) ? undefined : millis;
}

export function nowMillis(): number {
  return Date.now();
}

const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

const TO_THE_MILLISECOND = new Intl.DateTimeFormat(undefined, {
  ...({ year: "numeric", month: "short", day: "numeric" } as const),
  ...({ hour: "2-digit", minute: "2-digit", second: "2-digit" } as const),
  fractionalSecondDigits: 3,
  timeZoneName: "short",
});

/** In the reader's own zone, with the zone. */
export function exactTime(instant: string): string {
  const millis = millisOf(instant);
  return millis === undefined ? instant : EXACT.format(millis);
}

/** The same, for what happens many times in a second. */
export function exactMoment(instant: string): string {
  const millis = millisOf(instant);
  return millis === undefined ? instant : TO_THE_MILLISECOND.format(millis);
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

/** "3 minutes ago"; a clock that is behind the app's shows "now", never the future. */
export function relativeTime(instant: string, now: number): string {
  const millis = millisOf(instant);
  if (millis === undefined) return instant;
  const seconds = Math.max(0, Math.floor((now - millis) / 1000));
  const found = UNITS.find(([, size]) => seconds >= size);
  if (found === undefined) return "now";
  const [unit, size] = found;
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}

/** Two digits that matter: "13 ms", "4.2 s", "3 min 5 s", "2 h 7 min", "3 d 4 h". */
export function durationText(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${Math.floor(seconds * 10) / 10} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const whole = Math.floor(seconds);
  if (whole < 3_600) return twoUnits(whole, [60, "min", "s"]);
  if (whole < 86_400) return twoUnits(Math.floor(whole / 60), [60, "h", "min"]);
  return twoUnits(Math.floor(whole / 3_600), [24, "d", "h"]);
}

function twoUnits(count: number, [size, large, small]: readonly [number, string, string]): string {
  const rest = count % size;
  return `${Math.floor(count / size)} ${large}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}

/** From one instant to another, or to now; undefined where either says nothing. */
export function secondsBetween(from: string | undefined, to: string | number): number | undefined {
  const start = from === undefined ? undefined : millisOf(from);
  const end = typeof to === "number" ? to : millisOf(to);
  if (start === undefined || end === undefined) return undefined;
  return Math.max(0, (end - start) / 1000);
}

/** What a `datetime-local` field holds, or a day, as an instant; undefined while it holds none. */
export function instantOfLocal(local: string): string | undefined {
  // A day alone would be midnight in Greenwich.
  const time = /^\d{4}-\d\d-\d\d$/.test(local) ? `${local}T00:00` : local;
  const millis = time === "" ? Number.NaN : Date.parse(time);
  return Number.isNaN(millis) ? undefined : new Date(millis).toISOString();
}
