// What an evaluation carries with it: scope, bound variables, the step budget, and how it fails.
// Every loop over data charges the budget first, so the cost of any expression has a bound.
import { WorkflowError } from "../error.ts";
import type { Json } from "../json.ts";

/** The roots an expression may read, as plain JSON; reading one that is absent is an error. */
export interface Scope {
  readonly [root: string]: Json | undefined;
}

/** Steps that remain; one counter for all expressions of one render. Counts down, never below 0. */
export interface Budget {
  steps: number;
}

/**
 * `missing`: nothing stands at the path. `type`: a value of another type is needed. `number`: no
 * safe finite number comes out. `budget`: out of steps. `size`: the value grows too large.
 */
export type ExpressionReason = "missing" | "type" | "budget" | "number" | "size";

/** Why an expression has no value. The message names places and types, never data. */
export class ExpressionError extends WorkflowError {
  readonly reason: ExpressionReason;

  constructor(reason: ExpressionReason, message: string) {
    super("EXPRESSION_FAILED", message);
    this.reason = reason;
  }
}

interface Binding {
  readonly name: string;
  readonly value: Json;
  readonly outer: Binding | undefined;
}

export interface Frame {
  readonly source: string;
  readonly scope: Scope;
  readonly budget: Budget;
  /** Variables of the macros around, innermost first. */
  readonly bound: Binding | undefined;
}

export function bind(frame: Frame, name: string, value: Json): Frame {
  return { ...frame, bound: { name, value, outer: frame.bound } };
}

/** The innermost variable of that name, else the root of the scope. */
export function lookUp(frame: Frame, name: string): Json | undefined {
  for (let binding = frame.bound; binding !== undefined; binding = binding.outer) {
    if (binding.name === name) return binding.value;
  }
  return Object.hasOwn(frame.scope, name) ? frame.scope[name] : undefined;
}

/** Source shown in a message; longer ones are cut. */
const SHOWN_CHARS = 80;

export interface Failure {
  readonly reason: ExpressionReason;
  readonly message: string;
  readonly offset: number;
}

export function failure(frame: Frame, { reason, message, offset }: Failure): ExpressionError {
  const source = frame.source.trimStart();
  const character = offset + 1 - (frame.source.length - source.length);
  const shown = source.length > SHOWN_CHARS ? `${source.slice(0, SHOWN_CHARS)}...` : source;
  const text = `${message}, at character ${character} of the expression ${shown.trimEnd()}`;
  return new ExpressionError(reason, text);
}

/** Takes `steps` from the budget or fails; called before the work it pays for. */
export function charge(frame: Frame, steps: number, offset: number): void {
  const { budget } = frame;
  if (steps <= budget.steps) {
    budget.steps -= steps;
    return;
  }
  budget.steps = 0;
  throw failure(frame, { reason: "budget", message: "the steps are used up", offset });
}

/** What one pass over a text costs: work on characters runs natively and is that much cheaper. */
export function textSteps(chars: number): number {
  return Math.ceil(chars / 16);
}
