// Faults between the runtime and its stores. Every request of a process passes a gate that a test
// steers: it may fail before or after it took effect, answer nothing for ever because the process
// died, take time, or show the store as it was a moment ago. Requests are numbered from 1.
import { WorkflowError } from "../../src/core/error.ts";
import type { ErrorCode } from "../../src/core/error.ts";
import type { Clock, JobStore, JournalStore, WorkQueue } from "../../src/runtime/ports.ts";

export type Fault =
  /** Refused; nothing happened. */
  | "refused"
  /** Took effect, and the answer was lost for good. */
  | "unanswered"
  /** Refused for the time being. */
  | "throttled"
  /** The process dies before the request is sent, or after it took effect. */
  | "dies_before"
  | "dies_after"
  /** A read that does not see what is there; a peek that fails. */
  | "unseen";

export interface Request {
  /** Of all requests of all processes that share the gate. */
  readonly number: number;
  readonly operation: string;
  readonly id: string;
}

export interface Ports {
  readonly journal: JournalStore;
  readonly jobs: JobStore;
  readonly queue: WorkQueue;
}

interface Owner {
  readonly die: () => void;
  readonly isAlive: () => boolean;
}

/** One per runtime: numbers requests and asks the test what becomes of each. */
export class Gate {
  requests: Request[] = [];
  /** What becomes of a request; undefined lets it pass. */
  rule: (request: Request) => Fault | undefined = () => undefined;
  /** How long a request takes. */
  latencyMs: (request: Request) => number = () => 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The ports of one process; `die` marks it dead, `isAlive` says whether it still acts. */
  around(ports: Ports, owner: Owner): Ports {
    const { journal, jobs, queue } = ports;
    const pass = <T>(operation: string, id: string, work: () => Promise<T>): Promise<T> =>
      this.#pass({ operation, id, owner }, work);
    return {
      journal: {
        create: (document) =>
          pass("journal.create", document.id, () => journal.create(document)),
        read: (jobId, id) => pass("journal.read", id, () => journal.read(jobId, id)),
      },
      jobs: {
        create: (document) => pass("jobs.create", "job", () => jobs.create(document)),
        read: (jobId) => pass("jobs.read", "job", () => jobs.read(jobId)),
        replace: (document, etag) =>
          pass("jobs.replace", "job", () => jobs.replace(document, etag)),
        due: (now, limit, from) => pass("jobs.due", "", () => jobs.due(now, limit, from)),
        list: (filter) => pass("jobs.list", "", () => jobs.list(filter)),
        countOpen: (by) => pass("jobs.countOpen", "", () => jobs.countOpen(by)),
      },
      queue: {
        send: (message, delay) =>
          pass("queue.send", message.kind, () => queue.send(message, delay)),
        oldest: () => pass("queue.oldest", "", () => queue.oldest()),
      },
    };
  }

  async #pass<T>(
    given: {
      readonly operation: string;
      readonly id: string;
      readonly owner: Owner;
    },
    work: () => Promise<T>,
  ): Promise<T> {
    const { operation, id, owner } = given;
    if (!owner.isAlive()) return never();
    const request = { number: this.requests.length + 1, operation, id };
    this.requests.push(request);
    const ms = this.latencyMs(request);
    if (ms > 0) await new Promise<void>((resume) => this.#clock.after(ms, resume));
    if (!owner.isAlive()) return never();
    const fault = this.rule(request);
    switch (fault) {
      case undefined:
        return work();
      case "refused":
        throw failure(operation, "UNAVAILABLE");
      case "throttled":
        throw failure(operation, "THROTTLED");
      case "unanswered":
        await work();
        throw failure(operation, "UNAVAILABLE");
      case "dies_before":
        owner.die();
        return never();
      case "dies_after":
        await work();
        owner.die();
        return never();
      case "unseen":
        return undefined as T;
    }
  }
}

function failure(operation: string, kind: "UNAVAILABLE" | "THROTTLED"): WorkflowError {
  const place = operation.startsWith("queue") ? "QUEUE" : "STORE";
  const code: ErrorCode = place === "QUEUE" ? "QUEUE_UNAVAILABLE" : `STORE_${kind}`;
  return new WorkflowError(code, `${operation}: ${kind.toLowerCase()}`, { retryable: true });
}

/** A dead process never hears back. */
function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
