// The whole runtime on the memory ports: one or more "processes" that share store, queue and clock,
// a host loop that hands out messages, and a sweeper timer. Nothing sleeps: time is told to move.
import { cancelJob } from "../../src/runtime/cancel-job.ts";
import { addSeconds, earliest, later } from "../../src/core/instant.ts";
import type { Instant } from "../../src/core/instant.ts";
import type { JobState } from "../../src/core/job.ts";
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
import { Secrets } from "../../src/runtime/secrets.ts";
import { Sessions } from "../../src/runtime/sessions.ts";
import { SnapshotCache } from "../../src/runtime/snapshots.ts";
import { submitJob } from "../../src/runtime/submit-job.ts";
import type { CatalogEntry } from "../../src/runtime/definition-catalog.ts";
import type { Submission, Submitted } from "../../src/runtime/submission.ts";
import { sweep } from "../../src/runtime/sweep.ts";
import { Gate } from "./faults.ts";
import type { Swept } from "../../src/runtime/sweep.ts";
import { Telemetry } from "../../src/runtime/telemetry.ts";
import type { TelemetrySink } from "../../src/runtime/telemetry.ts";
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
    writeId: () => next().slice(0, 12),
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
  readonly versions: VersionRegistry;
  isAlive = true;
  /** Resolves when the process dies: whoever waits for its work must not wait for ever. */
  readonly death: Promise<void>;
  #die: () => void = () => undefined;

  constructor(
    build: (process: TestProcess) => Engine,
    versions: (engine: Engine) => VersionRegistry,
  ) {
    this.death = new Promise((resolve) => {
      this.#die = resolve;
    });
    this.engine = build(this);
    this.sessions = new Sessions(this.engine);
    this.versions = versions(this.engine);
  }

  die(): void {
    this.isAlive = false;
    this.#die();
  }
}

export interface RuntimeOptions {
  readonly handlers?: readonly Handler[];
  readonly timing?: Partial<EngineTiming>;
  readonly vars?: Readonly<Record<string, string>>;
  /** Values of the settings HOLDFAST_SECRET_*, by name. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly mayRedefine?: boolean;
  /** Whether a new process takes the place of one that died. */
  readonly restarts?: boolean;
  /** Where the telemetry of every process goes; none by default. */
  readonly sink?: TelemetrySink;
  readonly traceRatio?: number;
}

const LEASE_SECONDS = 600;
const SWEEP_SECONDS = 60;

export class TestRuntime {
  readonly clock = new MemoryClock();
  readonly queue = new MemoryQueue({ clock: this.clock });
  readonly store = new MemoryStore({ queue: this.queue });
  readonly catalog = new TestCatalog();
  readonly logs: LogRow[] = [];
  readonly sweeps: Swept[] = [];
  /** What processMessage rejected with: defects of ours. */
  readonly errors: unknown[] = [];
  readonly failedSweeps: unknown[] = [];
  readonly processes: TestProcess[] = [];
  /** Every request of every process passes it. */
  readonly gate = new Gate(this.clock);
  isSweeping = true;
  #turn = -1;
  #nextSweep = addSeconds(this.clock.now(), SWEEP_SECONDS);
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
    const { journal, jobs } = this.store;
    const ports = { journal, jobs, queue: this.queue };
    const build = (process: TestProcess): Engine => ({
      ...this.gate.around(ports, {
        die: () => process.die(),
        isAlive: () => process.isAlive,
      }),
      clock: this.clock,
      randomness: this.#randomness,
      log: { write: (level, name, fields) => void this.logs.push({ level, name, fields }) },
      handlers: new HandlerRegistry(this.#options.handlers ?? []),
      secrets: new Secrets(this.#options.secrets ?? {}),
      snapshots: new SnapshotCache(),
      build: "holdfast@0.1.0+test",
      timing: { ...DEFAULT_TIMING, ...this.#options.timing },
      ...this.#telemetry(),
      ...changes,
    });
    const mayRedefine = this.#options.mayRedefine ?? false;
    const process = new TestProcess(
      build,
      (engine) => new VersionRegistry(engine, this.store.definitions, { mayRedefine }),
    );
    this.processes.push(process);
    return process;
  }

  #telemetry(): Pick<Engine, "telemetry"> {
    const { sink, traceRatio = 1 } = this.#options;
    if (sink === undefined) return {};
    return { telemetry: new Telemetry({ sink, clock: this.clock, traceRatio }) };
  }

  async submit(
    submission: Submission,
    given: {
      readonly key?: string;
      readonly process?: TestProcess;
      readonly authenticated_as?: string;
    } = {},
  ): Promise<Submitted> {
    const { engine, versions } = given.process ?? this.first;
    const submitter = { engine, catalog: this.catalog, versions, vars: this.#options.vars ?? {} };
    const key = given.key === undefined ? {} : { idempotency_key: given.key };
    return submitJob(submitter, submission, {
      authenticated_as: given.authenticated_as ?? "key",
      ...key,
    });
  }

  /** Hands out every visible message, round robin over the living processes; does not wait. */
  dispatch(): number {
    if (this.#options.restarts === true && !this.processes.some(({ isAlive }) => isAlive)) {
      this.addProcess();
    }
    const alive = this.processes.filter(({ isAlive }) => isAlive);
    if (alive.length === 0) return 0;
    const messages = this.queue.receive(32, LEASE_SECONDS);
    for (const message of messages) {
      this.#turn += 1;
      const process = alive[this.#turn % alive.length];
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

  /** Moves time from event to event until `done` or the limit; sweeps every minute. */
  async run(done: () => boolean | Promise<boolean>, limitSeconds = 3600): Promise<void> {
    const limit = addSeconds(this.clock.now(), limitSeconds);
    while (this.clock.now() <= limit) {
      this.dispatch();
      await this.clock.advance(0);
      if (await done()) return;
      const poisoned = this.queue.takePoisoned();
      if (poisoned !== undefined) await this.poison(poisoned);
      if (this.#nextSweep <= this.clock.now()) {
        this.#nextSweep = addSeconds(this.clock.now(), SWEEP_SECONDS);
        if (this.isSweeping) void this.sweep();
      }
      await this.clock.advanceTo(this.#nextEvent());
    }
    throw new Error(`not done after ${limitSeconds} s`);
  }

  /** Never at once: what is due now and stays so must not stop the clock. */
  #nextEvent(): Instant {
    const soon = addSeconds(this.clock.now(), 0.001);
    const times = [this.clock.next(), this.queue.nextVisible(), this.#nextSweep];
    return later(soon, earliest(times.filter((time) => time !== undefined)) ?? soon);
  }

  get alive(): TestProcess | undefined {
    return this.processes.find(({ isAlive }) => isAlive);
  }

  async poison(text: string): Promise<void> {
    const { alive } = this;
    if (alive === undefined) return;
    await Promise.race([processPoison(alive.sessions, alive.engine, text), alive.death]);
  }

  async sweep(process = this.alive): Promise<void> {
    if (process === undefined) return;
    const sweeping = async (): Promise<void> => {
      try {
        this.sweeps.push(await sweep(process.sessions, process.engine));
      } catch (error) {
        // A store that is down cannot be listed; the timer fires again.
        this.failedSweeps.push(error);
      }
    };
    await Promise.race([sweeping(), process.death]);
  }

  cancel(jobId: string, process = this.alive ?? this.first): Promise<JobState> {
    return cancelJob(process.sessions, process.engine, { job_id: jobId, requested_by: "test" });
  }

  /** Rescues so far: zero without faults. */
  get rescues(): number {
    return this.sweeps.reduce((sum, { resent, advanced }) => sum + resent + advanced, 0);
  }

  status(jobId: string): string {
    const found = this.store.allJobs().find((job) => job["job_id"] === jobId);
    return (found?.["status"] as string | undefined) ?? "absent";
  }

  async runToEnd(jobId: string, limitSeconds?: number): Promise<string> {
    await this.run(() => ENDED.has(this.status(jobId)), limitSeconds);
    return this.status(jobId);
  }

  /** The entries of a job as they are stored, in order, with their number. */
  entries(jobId: string): readonly Record<string, unknown>[] {
    return this.store
      .journalOf(jobId)
      .filter(({ id }) => typeof id === "string" && /^\d+$/.test(id))
      .map((document) => ({ ...document, seq: Number(document["id"]) }))
      .sort((a, b) => a.seq - b.seq);
  }

  result(jobId: string): Record<string, unknown> {
    const last = this.entries(jobId).at(-1);
    return last?.["result_data"] as Record<string, unknown>;
  }
}

const ENDED = new Set(["completed", "failed", "cancelled"]);
