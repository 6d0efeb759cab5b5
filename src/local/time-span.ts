// Durations as the Functions host writes them: `[d.]hh:mm[:ss[.fffffff]]`, or a bare number, which
// means days. Used by host.json and by timer schedules.

const SECONDS = String.raw`:(?<seconds>\d{1,2})(?:\.(?<fraction>\d{1,7}))?`;
const FORM = new RegExp(
  String.raw`^(?:(?<days>\d{1,8})\.)?(?<hours>\d{1,2}):(?<minutes>\d{1,2})(?:${SECONDS})?$`,
);
const DAYS_ONLY = /^\d{1,8}$/;

/** Milliseconds, or undefined if the text is no duration. Negative durations are refused. */
export function parseTimeSpan(text: string): number | undefined {
  const trimmed = text.trim();
  if (DAYS_ONLY.test(trimmed)) {
    return Number(trimmed) * 86_400_000;
  }
  const parts = FORM.exec(trimmed)?.groups;
  if (parts === undefined) {
    return undefined;
  }
  const hours = Number(parts["hours"]);
  const minutes = Number(parts["minutes"]);
  const seconds = Number(parts["seconds"] ?? 0);
  if (hours > 23 || minutes > 59 || seconds > 59) {
    return undefined;
  }
  const days = Number(parts["days"] ?? 0);
  const fractionMs = Math.trunc(Number(`0.${parts["fraction"] ?? "0"}`) * 1000 + 1e-6);
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + fractionMs;
}
