// What keeps the local host from starting, in words for the person at the terminal: what is wrong
// and what to do about it. Never carries a key, a connection string or a payload.

export class StartupProblem extends Error {
  override readonly name = "StartupProblem";
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `{ code: "EADDRINUSE" }` and the like; undefined where there is none. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error === "object" && error !== null && "code" in error) {
    return typeof error.code === "string" ? error.code : undefined;
  }
  return undefined;
}
