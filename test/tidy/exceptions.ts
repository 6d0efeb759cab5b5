// The files that may break a rule, each with its reason. The list may only shrink:
// an exception that is no longer needed fails the tidy test.

export interface Exception {
  /** Name of the rule. */
  readonly rule: string;
  readonly path: string;
  readonly reason: string;
}

export const EXCEPTIONS: readonly Exception[] = [];
