// The whole runtime on the memory ports: one or more "processes" that share store, queue and clock,
// a host loop that hands out messages, and a sweeper timer. Nothing sleeps: time is told to move.
import { compileWorkflow } from "../../src/core/graph.ts";
import { definitionDigest, definitionSchema } from "../../src/core/definition.ts";
import type { WorkflowDefinition } from "../../src/core/definition.ts";
import { WorkflowError } from "../../src/core/error.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { MemoryClock } from "../../src/memory/memory-clock.ts";
import { MemoryQueue } from "../../src/memory/memory-queue.ts";
import { MemoryStore } from "../../src/memory/memory-store.ts";
import { DEFAULT_TIMING } from "../../src/runtime/engine.ts";
import type { Engine, EngineTiming } from "../../src/runtime/engine.ts";
import { HandlerRegistry } from "../../src/runtime/handlers.ts";
import type { Handler } from "../../src/runtime/handlers.ts";
import type { LogFields, Randomness } from "../../src/runtime/ports.ts";
import { processMessage } from "../../src/runtime/process-message.ts";
import { processPoison } from "../../src/runtime/process-poison.ts";
import { Sessions } from "../../src/runtime/sessions.ts";
import { SnapshotCache } from "../../src/runtime/snapshots.ts";
import { submitJob } from "../../src/runtime/submit-job.ts";
import type { CatalogEntry } from "../../src/runtime/definition-catalog.ts";
import type { Submission, Submitted } from "../../src/runtime/submit-job.ts";
import { sweep } from "../../src/runtime/sweep.ts";
import type { Swept } from "../../src/runtime/sweep.ts";
import { VersionRegistry } from "../../src/runtime/version-registry.ts";

/** A definition from its YAML shape, defaults applied. */
export function define(shape: unknown): WorkflowDefinition {
  const definition = definitionSchema.parse(shape);
  compileWorkflow(definition, "");
  return definition;
}

export function catalogEntry(definition: WorkflowDefinition): CatalogEntry {
  const source = JSON.stringify(definition);
  return {
    definition,
    workflow_digest: definitionDigest(definition, sha256),
    source,
    source_digest: `sha256:${sha256(source)}`,
  };
}

/** A catalog whose content a test changes at will. */
export class TestCatalog {
  readonly entries = new Map<string, CatalogEntry>();

  put(shape: unknown): CatalogEntry {
    const entry = catalogEntry(define(shape));
    this.entries.set(entry.definition.workflow_id, entry);
    return entry;
  }

  async find(workflowId: string): Promise<CatalogEntry> {
    const entry = this.entries.get(workflowId);
    if (entry === undefined) throw new WorkflowError("WORKFLOW_NOT_FOUND", workflowId);
    return entry;
  }
}

export function seededRandomness(): Randomness {
  let counter = 0;
  const next = (): string => sha256(`seed ${(counter += 1)}`);
  return {
    fraction: () => parseInt(next().slice(0, 8), 16) / 2 ** 32,
    uuid: () => {
      const hex = next();
      const groups = [hex.slice(0, 8), hex.slice(8, 12), `7${hex.slice(13, 16)}`];
      return [...groups, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
    },
    writeId: () => next().slice(0, 16),
  };
}

export interface LogRow {
  readonly level: string;
  readonly name: string;
  readonly fields: LogFields;
}

/** One process: its own sessions, handlers and snapshot memory. */
export class TestProcess {
  readonly engine: Engine;
  readonly sessions: Sessions;
  isAlive = true;

  constructor(engine: Engine) {
    this.engine = engine;
    this.sessions = new Sessions(engine);
  }
}

export interface RuntimeOptions {
  readonly handlers?: readonly Handler[];
  readonly timing?: Partial<EngineTiming>;
  readonly vars?: Readonly<Record<string, string>>;
}

const LEASE_SECONDS = 600;
const POLL_MS = 100;
const SWEEP_MS = 60_000;

export class TestRuntime {
  readonly clock = new MemoryClock();
  readonly queue = new MemoryQueue({ clock: this.clock });
  readonly store = new MemoryStore({ queue: this.queue });
  readonly catalog = new TestCatalog();
  readonly logs: LogRow[] = [];
  readonly sweeps: Swept[] = [];
  /** What processMessage rejected with: defects of ours. */
  readonly errors: unknown[] = [];
  readonly processes: TestProcess[] = [];
  isSweeping = true;
  readonly #randomness = seededRandomness();
  readonly #options: RuntimeOptions;

  constructor(options: RuntimeOptions = {}) {
    this.#options = options;
    this.addProcess();
  }

  get first(): TestProcess {
    const [process] = this.processes;
    if (process === undefined) throw new Error("no process");
    return process;
  }

  addProcess(changes: Partial<Engine> = {}): TestProcess {
    const process = new TestProcess({
      journal: this.store.journal,
      jobs: this.store.jobs,
      queue: this.queue,
      clock: this.clock,
      randomness: this.#randomness,
      log: { write: (level, name, fields) => void this.logs.push({ level, name, fields }) },
      handlers: new HandlerRegistry(this.#options.handlers ?? []),
      snapshots: new SnapshotCache(),
      build: "holdfast@0.1.0+test",
      timing: { ...DEFAULT_TIMING, ...this.#options.timing },
      ...changes,
    });
    this.processes.push(process);
    return process;
  }

  async submit(
    submission: Submission,
    given: { readonly key?: string; readonly process?: TestProcess } = {},
  ): Promise<Submitted> {
    const { engine } = given.process ?? this.first;
    const versions = new VersionRegistry(engine, this.store.definitions, { mayRedefine: false });
    const submitter = { engine, catalog: this.catalog, versions, vars: this.#options.vars ?? {} };
    const key = given.key === undefined ? {} : { idempotency_key: given.key };
    return submitJob(submitter, submission, { authenticated_as: "key", ...key });
  }

  /** Hands out every visible message, round robin over the living processes; does not wait. */
  dispatch(): number {
    const alive = this.processes.filter(({ isAlive }) => isAlive);
    const messages = this.queue.receive(32, LEASE_SECONDS);
    for (const [index, message] of messages.entries()) {
      const process = alive[index % alive.length];
      if (process === undefined) continue;
      const given = {
        body: JSON.parse(message.text) as unknown,
        delivery: { dequeueCount: message.dequeue_count },
      };
      void processMessage(process.sessions, process.engine, given).then(
        () => process.isAlive && this.queue.complete(message),
        (error: unknown) => {
          this.errors.push(error);
          if (process.isAlive) this.queue.release(message);
        },
      );
    }
    return messages.length;
  }

  /** Moves time in polling steps until `done` or the limit; sweeps every minute. */
  async run(done: () => boolean | Promise<boolean>, limitSeconds = 3600): Promise<void> {
    for (let ms = 0; ms <= limitSeconds * 1000; ms += POLL_MS) {
      this.dispatch();
      await this.clock.advance(POLL_MS);
      if (await done()) return;
      if (this.isSweeping && ms % SWEEP_MS === SWEEP_MS - POLL_MS) await this.sweep();
      const poisoned = this.queue.takePoisoned();
      if (poisoned !== undefined) {
        await processPoison(this.first.sessions, this.first.engine, poisoned);
      }
    }
    throw new Error(`not done after ${limitSeconds} s`);
  }

  async sweep(process = this.processes.find(({ isAlive }) => isAlive)): Promise<void> {
    if (process === undefined) return;
    this.sweeps.push(await sweep(process.sessions, process.engine));
  }

  status(jobId: string): string {
    const found = this.store.allJobs().find((job) => job["job_id"] === jobId);
    return String(found?.["status"]);
  }

  async runToEnd(jobId: string, limitSeconds?: number): Promise<string> {
    await this.run(() => ENDED.has(this.status(jobId)), limitSeconds);
    return this.status(jobId);
  }

  /** The entries of a job in order. */
  entries(jobId: string): readonly Record<string, unknown>[] {
    return this.store
      .journalOf(jobId)
      .filter((document) => typeof document["seq"] === "number")
      .sort((a, b) => Number(a["seq"]) - Number(b["seq"])) as Record<string, unknown>[];
  }

  result(jobId: string): Record<string, unknown> {
    const last = this.entries(jobId).at(-1);
    return last?.["result_data"] as Record<string, unknown>;
  }
}

const ENDED = new Set(["completed", "failed", "cancelled"]);
