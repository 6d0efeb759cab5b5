// Errors as log fields: code and message on one line, never a stack, never a payload; and whether
// an error is the world's, which may pass, or ours.
import { WorkflowError } from "../core/error.ts";
import { printable } from "./printable.ts";

const MAX_BYTES = 500;

export function errorText(error: unknown): string {
  return printable(described(error), MAX_BYTES);
}

function described(error: unknown): string {
  if (error instanceof WorkflowError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
}

/** Whether trying again later may help. */
export function isRetryable(error: unknown): boolean {
  return error instanceof WorkflowError && error.retryable;
}
