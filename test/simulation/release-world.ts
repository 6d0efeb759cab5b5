// A world in which processes of several builds share stores, queue and clock. Who handles which
// message, and what becomes of a request, the caller says; nothing sleeps, and nothing is random
// that the caller does not make random. Each build gets errors of its own class from its ports.
import { addSeconds, earliest, later } from "../../src/core/instant.ts";
import type { Instant } from "../../src/core/instant.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { MemoryClock } from "../../src/memory/memory-clock.ts";
import { MemoryQueue } from "../../src/memory/memory-queue.ts";
import type { QueuedText } from "../../src/memory/memory-queue.ts";
import { MemoryStore } from "../../src/memory/memory-store.ts";
import type { CatalogEntry } from "../../src/runtime/definition-catalog.ts";
import type { Engine, EngineTiming } from "../../src/runtime/engine.ts";
import type { JobDocument, JournalDocument, Randomness } from "../../src/runtime/ports.ts";
import { Secrets } from "../../src/runtime/secrets.ts";
import type { Sessions } from "../../src/runtime/sessions.ts";
import type { Submission, Submitted } from "../../src/runtime/submission.ts";
import type { VersionRegistry } from "../../src/runtime/version-registry.ts";
import { Gate } from "../support/faults.ts";
import type { Ports } from "../support/faults.ts";
import { handlersOf } from "./release-handlers.ts";
import type { ReleaseKit } from "./release-load.ts";

/** One process of one build. */
export interface ReleaseProcess {
  readonly kit: ReleaseKit;
  readonly engine: Engine;
  readonly sessions: Sessions;
  readonly versions: VersionRegistry;
  isAlive: boolean;
  /** Resolves when it dies: whoever waits for its work must not wait for ever. */
  readonly death: Promise<void>;
  readonly die: () => void;
}

export interface WorldContents {
  readonly journal: readonly JournalDocument[];
  readonly jobs: readonly JobDocument[];
  readonly queue: readonly QueuedText[];
}

export interface WorldOptions {
  readonly start?: Instant;
  readonly seed?: string;
  readonly timing?: Partial<EngineTiming>;
  /** Which of the living processes takes what comes next; the first by default. */
  readonly pick?: (alive: readonly ReleaseProcess[]) => ReleaseProcess | undefined;
}

/** What every process has; builds before secrets do not look. */
const SECRETS = { TOKEN: "swordfish-4711" };
const LEASE_SECONDS = 600;
const SWEEP_SECONDS = 60;
const ENDED = new Set(["completed", "failed", "cancelled"]);

/** Digests of a seed and a counter: the same each time, and told apart from another seed's. */
export function randomnessOf(kit: Pick<ReleaseKit, "sha256">, seed: string): Randomness {
  let counter = 0;
  const next = (): string => kit.sha256(`${seed} ${(counter += 1)}`);
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

export class ReleaseWorld {
  readonly clock: MemoryClock;
  readonly queue: MemoryQueue;
  readonly store: MemoryStore;
  readonly gate: Gate;
  readonly processes: ReleaseProcess[] = [];
  /** Live definitions as their files say them: what a submission finds. */
  readonly definitions = new Map<string, unknown>();
  /** What processMessage rejected with. */
  readonly errors: unknown[] = [];
  /** Names of log lines, with the build that wrote them. */
  readonly logs: { readonly build: string; readonly name: string; readonly fields: object }[] = [];
  isSweeping = true;
  #nextSweep: Instant;
  readonly #options: WorldOptions;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.clock = new MemoryClock(options.start);
    this.queue = new MemoryQueue({ clock: this.clock });
    this.store = new MemoryStore({ queue: this.queue });
    this.gate = new Gate(this.clock);
    this.#nextSweep = addSeconds(this.clock.now(), SWEEP_SECONDS);
  }

  async load({ journal, jobs, queue }: WorldContents): Promise<void> {
    for (const document of journal) await this.store.journal.create(document);
    for (const document of jobs) await this.store.jobs.create(document);
    this.queue.load(queue);
  }

  contents(jobId: string): WorldContents {
    const jobs = this.store.allJobs().filter((job) => job["job_id"] === jobId);
    return {
      journal: this.store.journalOf(jobId) as unknown as readonly JournalDocument[],
      jobs: jobs as unknown as readonly JobDocument[],
      queue: this.queue.contents().filter(({ text }) => text.includes(jobId)),
    };
  }

  add(kit: ReleaseKit, without: readonly string[] = []): ReleaseProcess {
    let die = (): void => undefined;
    const death = new Promise<void>((resolve) => {
      die = resolve;
    });
    const handlers = handlersOf(kit, this.clock).filter(({ name }) => !without.includes(name));
    const { journal, jobs } = this.store;
    const owner = { die: () => process.die(), isAlive: () => process.isAlive };
    const ports = this.gate.around({ journal, jobs, queue: this.queue }, owner);
    const build = `holdfast@${kit.name}+test`;
    const engine: Engine = {
      ...speaking(kit, ports),
      clock: this.clock,
      randomness: randomnessOf(kit, `${this.#options.seed ?? "world"} ${this.processes.length}`),
      log: { write: (_level, name, fields) => void this.logs.push({ build, name, fields }) },
      handlers: new kit.HandlerRegistry(handlers),
      secrets: new Secrets(SECRETS),
      snapshots: new kit.SnapshotCache(),
      build,
      timing: { ...kit.DEFAULT_TIMING, ...this.#options.timing },
    };
    const { definitions } = this.store;
    const process: ReleaseProcess = {
      kit,
      engine,
      sessions: new kit.Sessions(engine),
      versions: new kit.VersionRegistry(engine, definitions, { mayRedefine: false }),
      isAlive: true,
      death,
      die: () => {
        process.isAlive = false;
        die();
      },
    };
    this.processes.push(process);
    return process;
  }

  get alive(): readonly ReleaseProcess[] {
    return this.processes.filter(({ isAlive }) => isAlive);
  }

  pick(): ReleaseProcess | undefined {
    const { pick } = this.#options;
    return pick === undefined ? this.alive[0] : pick(this.alive);
  }

  /** A catalog entry as this build reads the live definition of that id. */
  entryOf(kit: ReleaseKit, workflowId: string): CatalogEntry {
    const shape = this.definitions.get(workflowId);
    if (shape === undefined) throw new kit.WorkflowError("WORKFLOW_NOT_FOUND", workflowId);
    const definition = kit.definitionSchema.parse(shape);
    const source = JSON.stringify(shape);
    return {
      definition,
      workflow_digest: kit.definitionDigest(definition, kit.sha256),
      source,
      source_digest: `sha256:${kit.sha256(source)}`,
    };
  }

  submit(
    { engine, kit, versions }: ReleaseProcess,
    submission: Submission,
    given: { readonly key?: string; readonly vars?: Readonly<Record<string, string>> } = {},
  ): Promise<Submitted> {
    const catalog = { find: async (id: string) => this.entryOf(kit, id) };
    const key = given.key === undefined ? {} : { idempotency_key: given.key };
    const submitter = { engine, catalog, versions, vars: given.vars ?? {} };
    return kit.submitJob(submitter, submission, { authenticated_as: "key", ...key });
  }

  /** Hands out every visible message; does not wait. */
  dispatch(): number {
    const free = this.alive.length === 0 ? [] : this.queue.receive(32, LEASE_SECONDS);
    for (const message of free) {
      const process = this.pick();
      if (process === undefined) continue;
      const body = JSON.parse(message.text) as unknown;
      const given = { body, delivery: { dequeueCount: message.dequeue_count } };
      void process.kit.processMessage(process.sessions, process.engine, given).then(
        () => process.isAlive && this.queue.complete(message),
        (error: unknown) => {
          this.errors.push(error);
          if (process.isAlive) this.queue.release(message);
        },
      );
    }
    return free.length;
  }

  /** Moves time from event to event until `done`; sweeps every minute. */
  async run(done: () => boolean, limitSeconds = 3600): Promise<void> {
    const limit = addSeconds(this.clock.now(), limitSeconds);
    while (this.clock.now() <= limit) {
      this.dispatch();
      await this.clock.advance(0);
      if (done()) return;
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

  async poison(text: string): Promise<void> {
    const process = this.pick();
    if (process === undefined) return;
    const { kit, sessions, engine } = process;
    await Promise.race([kit.processPoison(sessions, engine, text), process.death]);
  }

  async sweep(process = this.pick()): Promise<void> {
    if (process === undefined) return;
    const { kit, sessions, engine } = process;
    // A store that cannot be listed rejects; the timer fires again.
    const swept = kit.sweep(sessions, engine).catch(() => undefined);
    await Promise.race([swept, process.death]);
  }

  /** Never at once: what is due now and stays so must not stop the clock. */
  #nextEvent(): Instant {
    const soon = addSeconds(this.clock.now(), 0.001);
    const times = [this.clock.next(), this.queue.nextVisible(), this.#nextSweep];
    return later(soon, earliest(times.filter((time) => time !== undefined)) ?? soon);
  }

  status(jobId: string): string {
    const found = this.store.allJobs().find((job) => job["job_id"] === jobId);
    return (found?.["status"] as string | undefined) ?? "absent";
  }

  hasEnded(jobId: string): boolean {
    return ENDED.has(this.status(jobId));
  }

  /** The entries of a job as they are stored, in order. */
  entries(jobId: string): readonly JsonObject[] {
    return this.store
      .journalOf(jobId)
      .filter(({ id }) => typeof id === "string" && /^\d+$/.test(id))
      .sort((a, b) => Number(a["id"]) - Number(b["id"]));
  }
}

/** The ports with errors of the kit's own class. */
function speaking(kit: ReleaseKit, { journal, jobs, queue }: Ports): Ports {
  const own = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      const { code, message, retryable } = error as InstanceType<ReleaseKit["WorkflowError"]>;
      throw new kit.WorkflowError(code, message, { retryable, cause: error });
    }
  };
  return {
    journal: {
      create: (document) => own(journal.create(document)),
      read: (jobId, id) => own(journal.read(jobId, id)),
    },
    jobs: {
      ...jobs,
      create: (document) => own(jobs.create(document)),
      read: (jobId) => own(jobs.read(jobId)),
      replace: (document, etag) => own(jobs.replace(document, etag)),
      async due(now, limit, from) {
        const due = await own(jobs.due(now, limit, from));
        // That release asked for ids alone.
        return kit.name === "0.1.0" ? (due.map(({ job_id }) => job_id) as never) : due;
      },
      list: (filter) => own(jobs.list(filter)),
    },
    queue: {
      ...queue,
      send: (message, delay) => own(queue.send(message, delay)),
      oldest: () => own(queue.oldest()),
    },
  };
}
