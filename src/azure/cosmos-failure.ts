// What went wrong with one request to Cosmos DB, in our words: the vendor's errors end here.
// A failure without a definite answer is "ambiguous": the write may or may not have happened.
import { WorkflowError } from "../core/error.ts";

/**
 * Replaces a vendor error that the SDK would retry by itself; the original is its cause. The SDK
 * would create a second time after a lost answer and report the 409 of our own document as somebody
 * else's, and it would retry reads ten times a second apart.
 */
export class UnansweredRequest extends Error {
  override readonly name = "UnansweredRequest";
  /** The SDK reads session tokens from here. */
  readonly headers: unknown;

  constructor(original: unknown) {
    super(textOf(original), { cause: original });
    this.headers = member(original, "headers");
  }
}

/**
 * exists 409 · conflict 412 · missing 404 · too_large 413 · throttled 429 and 449, nothing was
 * written · ambiguous: no answer, or one that leaves it open · denied 401 and 403 · rejected: our
 * request was wrong.
 */
export type Verdict =
  | "exists"
  | "conflict"
  | "missing"
  | "too_large"
  | "throttled"
  | "ambiguous"
  | "denied"
  | "rejected";

export interface Failure {
  readonly verdict: Verdict;
  readonly status?: number;
  readonly substatus?: number;
  /** What the service asks us to wait. */
  readonly retryAfterMs?: number;
  readonly text: string;
}

/** The item is not there yet in the session that the read asked for. */
export const READ_SESSION_NOT_AVAILABLE = 1002;
/** The container or the database is missing, not the item. */
export const OWNER_NOT_FOUND = 1003;

const MAX_TEXT_CHARS = 300;

export function failureOf(error: unknown): Failure {
  const original = error instanceof UnansweredRequest ? error.cause : error;
  const status = httpStatus(original);
  const substatus = member(original, "substatus");
  const retryAfterMs = member(original, "retryAfterInMs");
  return {
    verdict: verdictOf(status),
    ...(status === undefined ? {} : { status }),
    ...(typeof substatus === "number" ? { substatus } : {}),
    ...(typeof retryAfterMs === "number" && retryAfterMs >= 0 ? { retryAfterMs } : {}),
    text: textOf(original),
  };
}

/** True where the SDK would send the same request once more without asking us. */
export function isRetriedBySdk(error: unknown): boolean {
  const status = httpStatus(error);
  return status === undefined || status === 503;
}

/** What the ports promise to throw when the wrapper gives up. */
export function storeError(what: string, error: unknown): WorkflowError {
  const failure = failureOf(error);
  const answer = failure.status === undefined ? failure.text : `${failure.status} ${failure.text}`;
  const message = `${what}: ${answer}`;
  const world = { retryable: true, cause: error };
  switch (failure.verdict) {
    case "throttled":
      return new WorkflowError("STORE_THROTTLED", message, world);
    case "too_large":
      return new WorkflowError("LIMIT_EXCEEDED", message, { cause: error });
    case "rejected":
      return new WorkflowError("INTERNAL", message, { cause: error });
    case "denied":
      return new WorkflowError("ACCESS_DENIED", message, world);
    case "missing":
      return new WorkflowError("RESOURCE_MISSING", message, world);
    case "exists":
    case "conflict":
    case "ambiguous":
      return new WorkflowError("STORE_UNAVAILABLE", message, world);
  }
}

function verdictOf(status: number | undefined): Verdict {
  if (status === undefined) return "ambiguous";
  if (status === 401 || status === 403) return "denied";
  if (status === 404) return "missing";
  if (status === 408 || status === 410) return "ambiguous";
  if (status === 409) return "exists";
  if (status === 412) return "conflict";
  if (status === 413) return "too_large";
  if (status === 429 || status === 449) return "throttled";
  return status >= 500 ? "ambiguous" : "rejected";
}

function httpStatus(error: unknown): number | undefined {
  // The SDK puts the HTTP status into `code`; network failures have a text there.
  const code = member(error, "code") ?? member(error, "statusCode");
  return typeof code === "number" && code >= 400 && code < 600 ? code : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** One line, without the activity ids and host names that the service appends. */
function textOf(error: unknown): string {
  const message = error instanceof Error ? error.message : "no error text";
  const code = member(error, "code");
  const line = message.split(/[\r\n]/, 1)[0] ?? "";
  const text = typeof code === "string" && !line.includes(code) ? `${code} ${line}` : line;
  return text === "" ? "no error text" : text.slice(0, MAX_TEXT_CHARS);
}
