// How an operation of the HTTP API is described: what it takes, what it answers, which errors it
// may meet, with examples that a test sends as they stand.
import type * as z from "zod";
import type { ErrorCode } from "../core/error.ts";

export interface Example {
  readonly summary: string;
  /** Path parameters that differ from EXAMPLE_PARAMS. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a text as it is. */
  readonly body?: object | string;
  readonly status: number;
}

export interface Operation {
  /** The function's name. */
  readonly name: string;
  readonly method: "get" | "post";
  /** Below `/api/v1`. */
  readonly path: string;
  readonly group: "Jobs" | "Workflows" | "App";
  readonly summary: string;
  readonly auth: "function" | "anonymous" | "admin";
  readonly query: z.ZodObject;
  /** Request headers that mean something here. */
  readonly headers?: readonly HeaderName[];
  readonly body?: {
    readonly type: "application/json" | "application/yaml";
    /** Absent for a text. */
    readonly schema?: z.ZodType;
    readonly required: boolean;
  };
  /** Good answers by status; without a schema they have no body. */
  readonly answers: Readonly<Record<number, Answer>>;
  readonly errors: readonly ErrorCode[];
  readonly examples: readonly Example[];
}

export interface Answer {
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly type?: "application/json" | "text/html";
  readonly headers?: readonly AnswerHeader[];
}

export type HeaderName = "Idempotency-Key" | "If-None-Match";
export type AnswerHeader = "ETag" | "Location" | "Retry-After";

/** The job that the first example of `jobs_submit` makes, whoever sends it with a function key. */
export const EXAMPLE_PARAMS: Readonly<Record<string, string>> = {
  job_id: "dd7f0f28-56bf-8c42-b173-b1e6f27209d0",
  node_id: "echo",
  workflow_id: "echo_test",
};

export const BODY_ERRORS = ["BAD_REQUEST", "BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"] as const;
export const CATALOG_ERRORS = [
  "WORKFLOW_NOT_FOUND",
  "WORKFLOW_INACTIVE",
  "VERSION_CONFLICT",
  "DEFINITION_INVALID",
] as const;

/** What every operation but health may meet. */
export const COMMON_ERRORS: readonly ErrorCode[] = [
  "UNAUTHENTICATED",
  "RATE_LIMITED",
  "STORE_UNAVAILABLE",
  "STORE_THROTTLED",
  "STORE_CONFLICT",
  "STORE_UNSUPPORTED",
  "ACCESS_DENIED",
  "RESOURCE_MISSING",
  "SCHEMA_TOO_NEW",
  "CONFIGURATION_INVALID",
  "INTERNAL",
  // A stored document that is not as it was written.
  "DOCUMENT_INVALID",
  "SNAPSHOT_INVALID",
  "SNAPSHOT_TAMPERED",
];
