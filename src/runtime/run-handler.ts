// Runs one attempt of a handler and says how it ended. Never rejects, whatever the handler does:
// it may throw anything, return anything, ignore its signal or go on after its end.
// Only the first ending counts. The output is a JSON copy that nobody else holds; error text and
// log lines are bounded and printable, and in none is a secret that the handler was given.
// A handler that blocks the process cannot be stopped here.
import type { Json } from "../core/json.ts";
import { copyJson, jsonBytes } from "../core/json.ts";
import { fits } from "../core/expression/room.ts";
import type { ErrorCode } from "../core/error.ts";
import { MAX_ERROR_BYTES, MAX_JSON_DEPTH, MAX_OUTPUT_BYTES } from "../core/limits.ts";
import { AttemptLog } from "./attempt-log.ts";
import type { Handler, HandlerJob } from "./handlers.ts";
import { RetryableError, TerminalError } from "./handlers.ts";
import { plainCopy } from "./plain-copy.ts";
import type { Clock } from "./ports.ts";
import { printable } from "./printable.ts";
import { NO_SECRETS } from "./secrets.ts";
import type { JobSecrets } from "./secrets.ts";
import { nextTurn } from "./turn.ts";

export interface AttemptRequest {
  readonly handler: Handler;
  readonly params: Json;
  /** What may be among `params` and must not come out; none by default. */
  readonly secrets?: JobSecrets;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly job: HandlerJob;
  readonly timeoutSeconds: number;
  /** Aborted when the job is cancelled or the process shuts down. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** How long a handler may still answer after `signal` was aborted; 2,000 by default. */
  readonly graceMs?: number;
}

export interface AttemptError {
  readonly code: string;
  readonly message: string;
}

type Ending =
  /** The handler answered with JSON within the bounds. */
  | { readonly kind: "completed"; readonly output: Json }
  /** The handler threw, or answered with something that cannot be stored. */
  | { readonly kind: "failed"; readonly error: AttemptError; readonly retryable: boolean }
  /** `timeoutSeconds` passed; the handler's signal was aborted with a TimeoutError. */
  | { readonly kind: "timed_out" }
  /** `signal` was aborted, and the handler gave no answer within the grace. */
  | { readonly kind: "aborted" };

export type AttemptOutcome = Ending & { readonly log: readonly string[] };

const GRACE_MS = 2_000;
const CODE = /^[A-Z][A-Z0-9_]{0,63}$/;
/** What only the engine may say about a node; a handler that says it gets HANDLER_FAILED. */
const ENGINE_CODES: ReadonlySet<string> = new Set<ErrorCode>([
  "DEADLINE_EXCEEDED",
  "HANDLER_MISSING",
  "INTERNAL",
  "ITEM_FAILED",
  "JOB_CANCELLED",
  "MESSAGE_POISONED",
  "SECRET_MISSING",
  "SNAPSHOT_INVALID",
  "SNAPSHOT_TAMPERED",
  "TIMED_OUT",
  "WORKER_LOST",
]);

/**
 * After `signal` is aborted a value that still comes counts as completed; an error that comes is
 * taken for the abort's echo, so that a shutdown never uses up a retry.
 */
export function runAttempt(request: AttemptRequest): Promise<AttemptOutcome> {
  const { clock, signal, secrets = NO_SECRETS } = request;
  const log = new AttemptLog(secrets.text);
  if (signal.aborted) return Promise.resolve({ kind: "aborted", log: [] });
  return new Promise((resolve) => {
    const controller = new AbortController();
    const releases: (() => void)[] = [];
    let settled = false;
    const settle = (ending: Ending): void => {
      if (settled) return;
      settled = true;
      for (const release of releases) release();
      resolve({ ...ending, log: log.lines() });
    };
    const end = (ending: Ending): void => {
      settle(signal.aborted && ending.kind !== "completed" ? { kind: "aborted" } : ending);
    };
    // Settled before the handler hears of it: its reaction must not become the outcome.
    const timeOut = (): void => {
      end({ kind: "timed_out" });
      controller.abort(timeoutReason(request.timeoutSeconds));
    };
    const abort = (): void => {
      releases.push(clock.after(request.graceMs ?? GRACE_MS, () => settle({ kind: "aborted" })));
      controller.abort(signal.reason);
    };
    releases.push(clock.after(Math.ceil(request.timeoutSeconds * 1000), timeOut));
    signal.addEventListener("abort", abort, { once: true });
    releases.push(() => signal.removeEventListener("abort", abort));
    void call(request, controller.signal, log).then((ending) => end(shown(ending, secrets)));
  });
}

function timeoutReason(seconds: number): DOMException {
  return new DOMException(`the attempt took longer than ${seconds} s`, "TimeoutError");
}

async function call(
  request: AttemptRequest,
  signal: AbortSignal,
  log: AttemptLog,
): Promise<Ending> {
  try {
    if (!isSmall(request.params)) await nextTurn(request.clock);
    const value: unknown = await request.handler.run({
      // Rendered params share parts with recorded outputs; a handler may change what it is given.
      params: copyJson(request.params),
      attempt: request.attempt,
      idempotencyKey: request.idempotencyKey,
      signal,
      log: (message, fields) => log.write(message, fields),
      job: { ...request.job },
    });
    // Many may answer at once: reading them, and deciding on them, takes turns.
    if (typeof value === "object" && value !== null) await nextTurn(request.clock);
    const ending = answered(value);
    if (ending.kind === "completed" && !isSmall(ending.output)) await nextTurn(request.clock);
    return ending;
  } catch (thrown) {
    return threw(thrown);
  }
}

const SMALL_BYTES = 4096;

/** Whether walking it takes no time worth a turn. */
function isSmall(value: Json): boolean {
  return fits(value, { bytes: SMALL_BYTES }, MAX_JSON_DEPTH);
}

/** `undefined` as the whole value is null; as a member it is refused like anything not JSON. */
function answered(value: unknown): Ending {
  try {
    const given = value === undefined ? null : value;
    const copy = plainCopy(given, MAX_OUTPUT_BYTES);
    if (copy.kind === "not_json") return invalid(copy.problem.pointer, copy.problem.message);
    const bytes = copy.kind === "too_large" ? copy.atLeastBytes : jsonBytes(copy.value);
    if (copy.kind === "too_large" || bytes > MAX_OUTPUT_BYTES) return tooLarge(bytes);
    return { kind: "completed", output: copy.value };
  } catch {
    return failed("OUTPUT_INVALID", "the handler's value cannot be read as JSON");
  }
}

function invalid(pointer: string, message: string): Ending {
  const where = pointer === "" ? "" : ` at ${pointer}`;
  return failed("OUTPUT_INVALID", `the handler's value is not JSON${where}: ${message}`);
}

function tooLarge(bytes: number): Ending {
  return failed(
    "OUTPUT_TOO_LARGE",
    `the handler's value has at least ${bytes} bytes as JSON, at most ${MAX_OUTPUT_BYTES} are ` +
      "kept; store larger data elsewhere and return its URL",
  );
}

function threw(thrown: unknown): Ending {
  try {
    if (thrown instanceof TerminalError) return failed(thrown.code, textOf(thrown));
    if (thrown instanceof RetryableError) return failed(thrown.code, textOf(thrown), true);
    return failed("HANDLER_FAILED", describe(thrown), true);
  } catch {
    return failed("HANDLER_FAILED", "the handler threw a value that cannot be read", true);
  }
}

function failed(code: unknown, message: string, retryable = false): Ending {
  const known = typeof code === "string" && CODE.test(code) && !ENGINE_CODES.has(code);
  return { kind: "failed", error: { code: known ? code : "HANDLER_FAILED", message }, retryable };
}

/** An ending as it may be kept: masked first, because a cut could leave a part of a secret. */
function shown(ending: Ending, secrets: JobSecrets): Ending {
  switch (ending.kind) {
    case "completed":
      return { ...ending, output: secrets.value(ending.output) };
    case "failed": {
      const { code, message } = ending.error;
      const error = {
        code: secrets.text(code) === code ? code : "HANDLER_FAILED",
        message: printable(secrets.text(message), MAX_ERROR_BYTES),
      };
      return { ...ending, error };
    }
    case "timed_out":
    case "aborted":
      return ending;
  }
}

/** What was thrown without being meant as an outcome: its kind helps to find the mistake. */
function describe(thrown: unknown): string {
  if (typeof thrown === "string") return thrown === "" ? "threw an empty string" : thrown;
  // A number without bound takes time without bound to write.
  if (typeof thrown === "bigint") return "threw a bigint";
  if (typeof thrown !== "object" || thrown === null) return `threw ${String(thrown)}`;
  const name: unknown = Reflect.get(thrown, "name");
  const kind = typeof name === "string" && name !== "" && name !== "Error" ? `${name}: ` : "";
  return `${kind}${textOf(thrown)}${causeOf(thrown)}`;
}

function textOf(thrown: object): string {
  const message: unknown = Reflect.get(thrown, "message");
  return typeof message === "string" && message !== "" ? message : "no message";
}

/** Only the code of a cause, such as ECONNREFUSED: its text was not meant for the record. */
function causeOf(thrown: object): string {
  const cause: unknown = Reflect.get(thrown, "cause");
  if (typeof cause !== "object" || cause === null) return "";
  const code: unknown = Reflect.get(cause, "code");
  return typeof code === "string" && CODE.test(code) ? ` (${code})` : "";
}
