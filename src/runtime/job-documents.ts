// Documents of one job's journal that decisions ask for. They never change, so a session keeps
// them. What is missing is told from what is not seen: only a claim may be absent. Each is held
// against what names it before anything is decided by it.
import { WorkflowError } from "../core/error.ts";
import type { JobState } from "../core/job.ts";
import type { JsonObject } from "../core/json.ts";
import type { JournalStore } from "./ports.ts";
import { documentProblem, tampered } from "./verify-entry.ts";

/** Kept for later decisions of the same job. */
const MAX_KEPT = 1_000;

export class JobDocuments {
  readonly #journal: JournalStore;
  readonly #jobId: string;
  readonly #job: () => JobState;
  readonly #kept = new Map<string, JsonObject>();

  constructor(journal: JournalStore, job: () => JobState) {
    this.#journal = journal;
    this.#job = job;
    this.#jobId = job().job_id;
  }

  /** A map of its own for one decision. */
  known(): Map<string, JsonObject | null> {
    return new Map<string, JsonObject | null>(this.#kept);
  }

  keep(id: string, document: JsonObject): void {
    this.#kept.set(id, document);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }

  /**
   * Loads documents into `loaded`. STORE_UNAVAILABLE for one that must exist and is not seen,
   * SNAPSHOT_TAMPERED for one that is not what its name or the history says.
   */
  async load(ids: readonly string[], loaded: Map<string, JsonObject | null>): Promise<void> {
    await Promise.all(
      ids.map(async (id) => {
        const document = await this.#read(id);
        loaded.set(id, document ?? null);
        if (document !== undefined) this.keep(id, document);
      }),
    );
  }

  async #read(id: string): Promise<JsonObject | undefined> {
    const document = await this.#journal.read(this.#jobId, id);
    // A claim may come or not. Anything else is named by the history, and was created before it was
    // named: this read is stale, and what it misses must not become a result.
    if (document === undefined && !id.startsWith("claim:")) {
      const message = `job ${this.#jobId}: document ${id} is not visible yet`;
      throw new WorkflowError("STORE_UNAVAILABLE", message, { retryable: true });
    }
    const read = document as unknown as JsonObject | undefined;
    const problem = read && documentProblem(id, read, this.#job());
    if (problem !== undefined) throw tampered(this.#jobId, problem);
    return read;
  }
}
