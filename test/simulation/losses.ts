// What got lost in a run, by job and node: the reasons for which a job may stand still where nobody
// sweeps and no poisoned message is told. A job that stands still for no listed reason is a defect.
import { attemptKey } from "../../src/core/effect.ts";
import type { LogFields } from "../../src/runtime/ports.ts";
import type { Message } from "../../src/core/message.ts";

interface SendTarget {
  readonly job_id: string;
  readonly node_id?: string;
  readonly chunk?: number;
  readonly attempt?: number;
}

function sendKey({ job_id, node_id = "", chunk, attempt = 0 }: SendTarget): string {
  return `${job_id}/${attemptKey(node_id, attempt, chunk)}`;
}

export class Losses {
  readonly #reasons = new Map<string, Set<string>>();
  readonly #sends = new Map<string, number>();

  sent(message: Message): void {
    const key = sendKey(message);
    this.#sends.set(key, (this.#sends.get(key) ?? 0) + 1);
  }

  /** How often the engine sent for this attempt. */
  sends(target: SendTarget): number {
    return this.#sends.get(sendKey(target)) ?? 0;
  }

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
