// Definitions by name, made once: `random:<n>` and its editions, and what tests define themselves.
// A compiled definition is shared by all worlds of a process: it never changes.
import { definitionDigest, definitionSchema } from "../../src/core/definition.ts";
import type { WorkflowDefinition } from "../../src/core/definition.ts";
import { compileWorkflow } from "../../src/core/graph.ts";
import type { Workflow } from "../../src/core/graph.ts";
import type { CatalogEntry } from "../../src/runtime/definition-catalog.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { Dice, Draws, STREAM } from "./dice.ts";
import { edited, randomShape } from "./random-definition.ts";

/** A definition in the shape of the YAML, defaults left out. */
export type Shape = Readonly<Record<string, unknown>>;

export interface Known {
  readonly entry: CatalogEntry;
  readonly workflow: Workflow;
  /** Whether its handlers are scripted and its params follow from the journal. */
  readonly isScripted: boolean;
  /** What comes in its place when it is edited: a higher version, or the same one anew. */
  readonly next?: () => Known;
  readonly again?: () => Known;
}

/** Beyond this the oldest are made anew when they are asked for. */
const MAX_KEPT = 400;
const kept = new Map<string, Known>();

export function knownDefinition(name: string): Known {
  const found = kept.get(name);
  if (found !== undefined) return found;
  const made = random(name);
  keep(name, made);
  return made;
}

export function keep(name: string, known: Known): void {
  kept.set(name, known);
  const [oldest] = kept.keys();
  if (kept.size > MAX_KEPT && oldest !== undefined && oldest !== name) kept.delete(oldest);
}

export function known(shape: unknown, isScripted = true): Known {
  const definition = definitionSchema.parse(shape);
  return ofDefinition(definition, { source: JSON.stringify(definition), isScripted });
}

export function ofDefinition(
  definition: WorkflowDefinition,
  { source, isScripted }: { readonly source: string; readonly isScripted: boolean },
): Known {
  const workflow_digest = definitionDigest(definition, sha256);
  const source_digest = `sha256:${sha256(source)}`;
  return {
    entry: { definition, workflow_digest, source, source_digest },
    workflow: compileWorkflow(definition, workflow_digest),
    isScripted,
  };
}

function random(name: string): Known {
  return ofShape(name, randomShapeOf(name));
}

export function randomShapeOf(name: string): Shape {
  const number = Number(/^random:(\d+)$/.exec(name)?.[1]);
  if (!Number.isInteger(number)) throw new Error(`no definition ${name}`);
  return randomShape(number, new Draws(new Dice(number), STREAM.shape));
}

/** A scripted shape and its editions. */
export function ofShape(name: string, shape: Shape): Known {
  return {
    ...known(shape),
    next: () => keptAs(`${name} next`, () => known(edited(shape, { edition: 2, version: 2 }))),
    again: () => keptAs(`${name} again`, () => known(edited(shape, { edition: 3, version: 1 }))),
  };
}

function keptAs(name: string, make: () => Known): Known {
  const found = kept.get(name);
  if (found !== undefined) return found;
  const made = make();
  keep(name, made);
  return made;
}
