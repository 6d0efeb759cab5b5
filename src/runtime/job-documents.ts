// Documents of one job's journal that decisions ask for. They never change, so a session keeps
// them. What is missing is told from what is not seen: only a claim may be absent. Each is held
// against what names it before anything is decided by it.
import { WorkflowError } from "../core/error.ts";
import type { JobState } from "../core/job.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { JournalStore } from "./ports.ts";
import { documentProblem, tampered } from "./verify-entry.ts";

/** Kept for later decisions of the same job; what does not fit is read again. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
/** Reads side by side: a fan_in may ask for thousands. */
const PARALLEL = 64;

export class JobDocuments {
  readonly #journal: JournalStore;
  readonly #jobId: string;
  readonly #job: () => JobState;
  readonly #kept = new Map<string, { readonly document: JsonObject; readonly bytes: number }>();
  #bytes = 0;

  constructor(journal: JournalStore, job: () => JobState) {
    this.#journal = journal;
    this.#job = job;
    this.#jobId = job().job_id;
  }

  /** A map of its own for one decision. */
  known(): Map<string, JsonObject | null> {
    const known = new Map<string, JsonObject | null>();
    for (const [id, { document }] of this.#kept) known.set(id, document);
    return known;
  }

  keep(id: string, document: JsonObject): void {
    const bytes = roughBytes(document);
    this.#bytes += bytes - (this.#kept.get(id)?.bytes ?? 0);
    this.#kept.set(id, { document, bytes });
    for (const [oldest, kept] of this.#kept) {
      if (this.#bytes <= MAX_KEPT_BYTES) break;
      this.#kept.delete(oldest);
      this.#bytes -= kept.bytes;
    }
  }

  /**
   * Loads documents into `loaded`. STORE_UNAVAILABLE for one that must exist and is not seen,
   * SNAPSHOT_TAMPERED for one that is not what its name or the history says.
   */
  async load(ids: readonly string[], loaded: Map<string, JsonObject | null>): Promise<void> {
    const left = ids.values();
    const reading = async (): Promise<void> => {
      // All of them take from the same list.
      for (const id of left) {
        const document = await this.#read(id);
        loaded.set(id, document ?? null);
        if (document !== undefined) this.keep(id, document);
      }
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL, ids.length) }, reading));
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

/** What a value takes in memory, about: texts are not walked, for they may be large. */
function roughBytes(value: Json): number {
  if (typeof value === "string") return 16 + value.length;
  if (typeof value !== "object" || value === null) return 8;
  let bytes = 32;
  for (const [key, member] of Object.entries(value)) bytes += key.length + roughBytes(member);
  return bytes;
}
