// The live catalog of a simulated world: what a submission finds. It changes under running jobs,
// which must not notice.
import { WorkflowError } from "../../src/core/error.ts";
import type { CatalogEntry } from "../../src/runtime/definition-catalog.ts";
import type { Known } from "./definitions.ts";

export class Catalog {
  readonly #entries = new Map<string, CatalogEntry>();
  /** Everything that was ever to be found, by digest. */
  readonly #published = new Map<string, Known>();

  put(known: Known): void {
    const { entry } = known;
    this.#entries.set(entry.definition.workflow_id, entry);
    this.#published.set(entry.workflow_digest, known);
  }

  remove(workflowId: string): void {
    this.#entries.delete(workflowId);
  }

  get all(): readonly Known[] {
    return [...this.#published.values()];
  }

  known(digest: string): Known | undefined {
    return this.#published.get(digest);
  }

  async find(workflowId: string): Promise<CatalogEntry> {
    const entry = this.#entries.get(workflowId);
    if (entry === undefined) {
      throw new WorkflowError("WORKFLOW_NOT_FOUND", `workflow "${workflowId}": not found`);
    }
    return entry;
  }
}
