// Whether a YAML text is a definition, as a verdict that is small enough to travel between threads.
// Pure; it runs in the thread for texts of strangers, and nowhere else in the app.
import type { CheckedDefinition } from "../runtime/definition-catalog.ts";
import { definitionDigest } from "../core/definition.ts";
import type { KnownHandlers } from "../core/check-params.ts";
import { parseDefinition } from "../core/parse.ts";
import { sha256 } from "../runtime/hash.ts";

/** A text to check: what a thread is sent. */
export interface DefinitionText {
  readonly source: string;
  /** The handlers that this build has. */
  readonly handlers: KnownHandlers;
}

export function checkDefinition({ source, handlers }: DefinitionText): CheckedDefinition {
  const parsed = parseDefinition(source, { file: "request", handlers });
  if (!parsed.ok) return { valid: false, issues: parsed.issues };
  const { workflow_id, version } = parsed.definition;
  const workflow_digest = definitionDigest(parsed.definition, sha256);
  return { valid: true, workflow_id, version, workflow_digest };
}
