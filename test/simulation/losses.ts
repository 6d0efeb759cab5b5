// What got lost in a run, by job and node: the reasons for which a job may stand still where nobody
// sweeps and no poisoned message is told. A job that stands still for no listed reason is a defect.
import type { LogFields } from "../../src/runtime/ports.ts";
import type { Message } from "../../src/core/message.ts";

export class Losses {
  readonly #reasons = new Map<string, Set<string>>();

  lost({ job_id, node_id = "", kind }: Message, why: string): void {
    this.add(job_id, `${why} ${kind} ${node_id}`);
    this.add(job_id, why);
  }

  add(jobId: string, reason: string): void {
    const reasons = this.#reasons.get(jobId);
    if (reasons === undefined) this.#reasons.set(jobId, new Set([reason]));
    else reasons.add(reason);
  }

  has(jobId: string, reason: string): boolean {
    return this.#reasons.get(jobId)?.has(reason) ?? false;
  }

  of(jobId: string): readonly string[] {
    return [...(this.#reasons.get(jobId) ?? [])];
  }

  logged(name: string, { job_id, node_id }: LogFields): void {
    if (typeof job_id !== "string") return;
    if (name === "send.failed") {
      this.add(job_id, "refused");
      this.add(job_id, `refused ${String(node_id ?? "")}`);
    }
    if (name === "message.deferred") this.add(job_id, "put back");
    if (name === "message.dropped") this.add(job_id, "too old");
  }
}
