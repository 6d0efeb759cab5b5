// Answers: JSON, and RFC 9457 problems with a stable code for every error. An error nobody expected
// becomes INTERNAL without its text; it is logged, and the answer names the invocation.
import type { HttpResponseInit } from "@azure/functions";
import type { ErrorCode } from "../core/error.ts";
import { WorkflowError } from "../core/error.ts";
import type { JsonObject } from "../core/json.ts";

/** The HTTP status of each code that a request can meet; docs/errors.md shows the same. */
const STATUS: { readonly [Code in ErrorCode]: number } = {
  BAD_REQUEST: 400,
  BODY_TOO_LARGE: 413,
  CONFIRMATION_MISSING: 400,
  DEFINITION_INVALID: 422,
  EXPRESSION_INVALID: 422,
  IDEMPOTENCY_CONFLICT: 409,
  INPUT_INVALID: 422,
  JOB_NOT_FOUND: 404,
  JOB_NOT_TERMINAL: 409,
  JOB_TERMINAL: 409,
  NODE_NOT_FOUND: 404,
  REBUILD_DISABLED: 403,
  REBUILD_FORBIDDEN: 403,
  ROLE_REQUIRED: 403,
  ROUTE_NOT_FOUND: 404,
  UNAUTHENTICATED: 401,
  UNSUPPORTED_MEDIA_TYPE: 415,
  VERSION_CONFLICT: 409,
  WORKFLOW_INACTIVE: 409,
  WORKFLOW_NOT_FOUND: 404,
  LIMIT_EXCEEDED: 422,
  QUEUE_UNAVAILABLE: 503,
  RATE_LIMITED: 429,
  STORE_CONFLICT: 503,
  STORE_THROTTLED: 503,
  STORE_UNAVAILABLE: 503,
  SCHEMA_TOO_NEW: 503,
  TOO_MANY_JOBS: 429,
  CONFIGURATION_INVALID: 503,
  SECRET_MISSING: 503,
  CHECK_FAILED: 500,
  DEADLINE_EXCEEDED: 500,
  EXPRESSION_FAILED: 500,
  HANDLER_FAILED: 500,
  HANDLER_MISSING: 500,
  HTTP_STATUS: 500,
  HTTP_FAILED: 500,
  ITEM_FAILED: 500,
  JOB_CANCELLED: 500,
  MESSAGE_POISONED: 500,
  OUTPUT_INVALID: 500,
  OUTPUT_TOO_LARGE: 500,
  PARAMS_INVALID: 500,
  SNAPSHOT_INVALID: 500,
  SNAPSHOT_TAMPERED: 500,
  TIMED_OUT: 500,
  WORKER_LOST: 500,
  DOCUMENT_INVALID: 500,
  INTERNAL: 500,
};

/**
 * What is told of failures whose own text comes from a store, a queue or the network: it may name
 * hosts, so it goes to the log alone.
 */
const TOLD: { readonly [Code in ErrorCode]?: string } = {
  QUEUE_UNAVAILABLE: "The queue did not answer; try again with the same idempotency key.",
  STORE_THROTTLED: "The store refuses requests for a while; try again with the same key.",
  STORE_UNAVAILABLE: "The store did not answer; try again with the same idempotency key.",
};

const INTERNAL_DETAIL = "Something went wrong here; it was logged.";

const RETRY_AFTER_SECONDS = 5;

/** For every 429 and 503: how many seconds a client should wait. */
export function retryAfter(seconds = RETRY_AFTER_SECONDS): Readonly<Record<string, string>> {
  return { "retry-after": String(seconds) };
}

/** On every answer. None is a page, so nothing in one may run, load or be framed. */
const common = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
};

export function json(
  status: number,
  body: JsonObject,
  headers: Readonly<Record<string, string>> = {},
): HttpResponseInit {
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...common, ...headers },
    body: textOf(body),
  };
}

/** Not indented: 400 KB of zeros in nested lists would become 26 MB. */
function textOf(body: object): string {
  return `${JSON.stringify(body)}\n`;
}

export function statusOf(error: unknown): number {
  return error instanceof WorkflowError ? STATUS[error.code] : STATUS.INTERNAL;
}

/** The problem that an error is answered with. */
export function problem(error: unknown, invocationId: string): HttpResponseInit {
  const status = statusOf(error);
  const known = error instanceof WorkflowError && status !== STATUS.INTERNAL;
  const code = error instanceof WorkflowError ? error.code : "INTERNAL";
  const body = {
    type: `urn:holdfast:error:${code}`,
    title: titleOf(code),
    status,
    code,
    detail: known ? (TOLD[code] ?? error.message) : INTERNAL_DETAIL,
    instance: `urn:invocation:${invocationId}`,
    ...(known && error.issues.length > 0 ? { issues: error.issues.map(present) } : {}),
    ...(known ? error.facts : {}),
  };
  return {
    status,
    headers: {
      "content-type": "application/problem+json; charset=utf-8",
      ...common,
      ...(status === STATUS.UNAUTHENTICATED ? { "www-authenticate": "Bearer" } : {}),
      ...retryHeader(error, status),
    },
    body: textOf(body),
  };
}

function retryHeader(error: unknown, status: number): Readonly<Record<string, string>> {
  if (!(error instanceof WorkflowError)) return {};
  const isBrake = status === STATUS.RATE_LIMITED || status === STATUS.STORE_UNAVAILABLE;
  if (!isBrake && error.code !== "JOB_NOT_TERMINAL") return {};
  const seconds = error.facts["retry_after_seconds"];
  return retryAfter(typeof seconds === "number" ? seconds : RETRY_AFTER_SECONDS);
}

function present(issue: object): JsonObject {
  return Object.fromEntries(Object.entries(issue).filter(([, value]) => value !== undefined));
}

/** `JOB_NOT_FOUND` → `Job not found`. */
function titleOf(code: ErrorCode): string {
  const words = code.toLowerCase().replaceAll("_", " ");
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
