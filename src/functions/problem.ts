// Answers: JSON, and RFC 9457 problems with a stable code for every error. An error nobody expected
// becomes INTERNAL without its text; it is logged, and the answer names the invocation.
import type { HttpResponseInit } from "@azure/functions";
import { STATUS } from "../api/status.ts";
import type { ErrorCode } from "../core/error.ts";
import { WorkflowError } from "../core/error.ts";
import type { JsonObject } from "../core/json.ts";

/**
 * What is told of failures whose own text comes from a store, a queue or the network: it may name
 * hosts, so it goes to the log alone.
 */
const TOLD: { readonly [Code in ErrorCode]?: string } = {
  ACCESS_DENIED: "The app may not use its store or queue; /health/ready says which, and why.",
  QUEUE_UNAVAILABLE: "The queue did not answer; try again with the same idempotency key.",
  RESOURCE_MISSING: "A container or queue of the app does not exist; /health/ready says which.",
  STORE_THROTTLED: "The store refuses requests for a while; try again with the same key.",
  STORE_UNAVAILABLE: "The store did not answer; try again with the same idempotency key.",
  STORE_UNSUPPORTED: "The store is not one that jobs are safe in; /health/ready says why.",
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
  return {
    status,
    headers: {
      "content-type": "application/problem+json; charset=utf-8",
      ...common,
      ...(status === STATUS.UNAUTHENTICATED ? { "www-authenticate": "Bearer" } : {}),
      ...allowHeader(error),
      ...retryHeader(error, status),
    },
    body: textOf(problemBody(error, invocationId)),
  };
}

/** RFC 9457. One of many in an answer has no invocation of its own. */
export function problemBody(error: unknown, invocationId?: string): JsonObject {
  const status = statusOf(error);
  const known = error instanceof WorkflowError && status !== STATUS.INTERNAL;
  const code = error instanceof WorkflowError ? error.code : "INTERNAL";
  return {
    type: `urn:holdfast:error:${code}`,
    title: titleOf(code),
    status,
    code,
    detail: known ? (TOLD[code] ?? error.message) : INTERNAL_DETAIL,
    ...(invocationId === undefined ? {} : { instance: `urn:invocation:${invocationId}` }),
    ...(known && error.issues.length > 0 ? { issues: error.issues.map(present) } : {}),
    ...(known ? error.facts : {}),
  };
}

/** The caller has this state already (RFC 9110, section 15.4.5). */
export function notModified(headers: Readonly<Record<string, string>>): HttpResponseInit {
  return { status: 304, headers: { ...common, ...headers } };
}

/** RFC 9110, section 15.5.6. */
function allowHeader(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof WorkflowError) || error.code !== "METHOD_NOT_ALLOWED") return {};
  return { allow: String(error.facts["allow"]) };
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
