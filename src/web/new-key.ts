// A key that nobody else has, for making a submission safe to repeat. `crypto.randomUUID` is only
// there over HTTPS; this is there everywhere.

const BYTES = 12;

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  return `ui-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
