// Compiled snapshots by digest. A digest names its content for ever, so nothing here is ever stale;
// only memory is bounded. The first job of a digest in a process pays one read of its entry 0.
import type { Workflow } from "../core/graph.ts";

/** Compiled workflows of about 20 KB each: some 10 MB. */
const MAX_KEPT = 500;

export class SnapshotCache {
  readonly #kept = new Map<string, Workflow>();

  get(digest: string): Workflow | undefined {
    const found = this.#kept.get(digest);
    if (found !== undefined) {
      this.#kept.delete(digest);
      this.#kept.set(digest, found);
    }
    return found;
  }

  keep(workflow: Workflow): void {
    this.#kept.set(workflow.digest, workflow);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}
