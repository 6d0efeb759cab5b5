// The one error class of the project and the complete list of its codes.
// A code is stable: clients, stored jobs and docs/errors.md name it. An author's mistake carries
// `issues`, all at once; a failure of the world is retryable; a bug of ours is `invariant()`.

/** Every code the product can answer, store or throw; docs/errors.md explains each. */
export const ERROR_CODES = [
  // The author's or caller's mistakes.
  "BAD_REQUEST",
  "BODY_TOO_LARGE",
  "CONFIRMATION_MISSING",
  "DEFINITION_INVALID",
  "EXPRESSION_INVALID",
  "IDEMPOTENCY_CONFLICT",
  "INPUT_INVALID",
  "JOB_NOT_FOUND",
  "JOB_NOT_TERMINAL",
  "JOB_TERMINAL",
  "METHOD_NOT_ALLOWED",
  "NODE_NOT_FOUND",
  "REBUILD_DISABLED",
  "REBUILD_FORBIDDEN",
  "ROLE_REQUIRED",
  "ROUTE_NOT_FOUND",
  "UNAUTHENTICATED",
  "UNSUPPORTED_MEDIA_TYPE",
  "VERSION_CONFLICT",
  "WORKFLOW_INACTIVE",
  "WORKFLOW_NOT_FOUND",
  // Why a node or a job failed or was cancelled; stored for ever.
  "CHECK_FAILED",
  "DEADLINE_EXCEEDED",
  "EXPRESSION_FAILED",
  "HANDLER_FAILED",
  "HANDLER_MISSING",
  "HTTP_STATUS",
  "HTTP_FAILED",
  "ITEM_FAILED",
  "JOB_CANCELLED",
  "LIMIT_EXCEEDED",
  "MESSAGE_POISONED",
  "OUTPUT_INVALID",
  "OUTPUT_TOO_LARGE",
  "PARAMS_INVALID",
  "SECRET_MISSING",
  "SNAPSHOT_INVALID",
  "SNAPSHOT_TAMPERED",
  "TIMED_OUT",
  "WORKER_LOST",
  // The world's failures, and our brakes: try again.
  "ACCESS_DENIED",
  "QUEUE_UNAVAILABLE",
  "RATE_LIMITED",
  "RESOURCE_MISSING",
  "STORE_CONFLICT",
  "STORE_THROTTLED",
  "STORE_UNAVAILABLE",
  "STORE_UNSUPPORTED",
  "SCHEMA_TOO_NEW",
  "TOO_MANY_JOBS",
  // Configuration and our own bugs.
  "CONFIGURATION_INVALID",
  "DOCUMENT_INVALID",
  "INTERNAL",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** One thing that is wrong, at one place. `line` and `column` count from 1. */
export interface Issue {
  readonly message: string;
  /** Where one answer tells of several errors: which of them this belongs to. */
  readonly code?: ErrorCode;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** JSON pointer into the document or request, "" for the whole. */
  readonly pointer?: string;
  readonly hint?: string;
}

export interface ErrorDetails {
  readonly issues?: readonly Issue[];
  readonly retryable?: boolean;
  readonly cause?: unknown;
  /** Facts worth showing beside the message, such as both digests of a conflict. */
  readonly facts?: Readonly<Record<string, string | number>>;
}

/** The base class of all thrown on purpose. `retryable` is true for the world's failures only. */
export class WorkflowError extends Error {
  override readonly name = "WorkflowError";
  readonly code: ErrorCode;
  readonly issues: readonly Issue[];
  readonly retryable: boolean;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.issues = details.issues ?? [];
    this.retryable = details.retryable ?? false;
    this.facts = details.facts ?? {};
  }
}

/** Throws when our own code broke a promise to itself; never for bad input. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new WorkflowError("INTERNAL", `invariant broken: ${message}`);
}
