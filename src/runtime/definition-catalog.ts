// The live catalog of definitions, as the runtime sees it: a port that only job creation and the
// routes about workflows may use. Nothing that advances a job can reach it.
import type { WorkflowDefinition } from "../core/definition.ts";
import type { Issue } from "../core/error.ts";

/** A definition as the catalog has it today. */
export interface CatalogEntry {
  readonly definition: WorkflowDefinition;
  readonly workflow_digest: string;
  /** The exact YAML text, and the digest of its bytes. */
  readonly source: string;
  readonly source_digest: string;
}

/** The live catalog, as job creation sees it. */
export interface DefinitionCatalog {
  /**
   * The version asked for, or the highest active one. Errors: WORKFLOW_NOT_FOUND,
   * WORKFLOW_INACTIVE, DEFINITION_INVALID, VERSION_CONFLICT.
   */
  find(workflowId: string, version?: number): Promise<CatalogEntry>;
}

/** What became of a text that somebody wants to publish. */
export type CheckedDefinition =
  | {
      readonly valid: true;
      readonly workflow_id: string;
      readonly version: number;
      readonly workflow_digest: string;
    }
  | { readonly valid: false; readonly issues: readonly Issue[] };

/** One file of the catalog in a list; broken ones come with their issues. */
export interface CatalogRow {
  readonly file: string;
  readonly status: "ok" | "duplicate" | "conflict" | "invalid";
  readonly workflow_id?: string;
  readonly version?: number;
  readonly name?: string;
  readonly description?: string;
  readonly is_active?: boolean;
  readonly workflow_digest?: string;
  readonly source_digest?: string;
  readonly issues: readonly Issue[];
}
