// One writer per process and job. All invocations of this process that work on one job share one
// folded state and one commit queue; whatever waits becomes the next entry. A created entry is the
// compare-and-swap: 409 means that another process made that transition, so fold it and decide
// again. When a commit fails, everybody waiting gets the same error and the session is spent: none
// may believe that it committed, and the next invocation loads anew.
import { advancing } from "../core/advance.ts";
import { emptyWorkflow } from "../core/create-job.ts";
import type { AdvanceContext, Decision, NewObject, Occurrence } from "../core/effect.ts";
import { WorkflowError, invariant } from "../core/error.ts";
import type { JournalEntry, JournalEvent } from "../core/event.ts";
import type { Workflow } from "../core/graph.ts";
import type { Instant } from "../core/instant.ts";
import type { JobState } from "../core/job.ts";
import { isTerminalJob } from "../core/job.ts";
import type { JsonObject } from "../core/json.ts";
import type { Paced } from "../core/pace.ts";
import { journalMembers, storedEntry } from "../core/stored.ts";
import { pendingDocuments } from "../core/transition.ts";
import { UnansweredCommit } from "./commit.ts";
import type { CommitOptions, Committed } from "./commit.ts";
import { NOTHING, behindFault, isTampered, withoutFault } from "./commit-batch.ts";
import type { Batch, Told, Waiting } from "./commit-batch.ts";
import type { Engine } from "./engine.ts";
import { isRetryable } from "./error-text.ts";
import { hashBytes, sha256 } from "./hash.ts";
import { logTransition } from "./log-transition.ts";
import { JobDocuments } from "./job-documents.ts";
import { foldVerified } from "./journal.ts";
import { LocalAttempts } from "./local-attempts.ts";
import type { LocalAttempt } from "./local-attempts.ts";
import type { Projected } from "./projection.ts";
import { ProjectionKeeper } from "./projection-keeper.ts";
import { nextTurn } from "./turn.ts";

/** Conflicts before giving up: 64 writers each lose at most this often before one is theirs. */
const MAX_CONFLICTS = 64;
/** Pauses between conflicts grow up to this: writers that lost together must not meet again. */
const MAX_PAUSE_MS = 250;

export class JobSession {
  readonly engine: Engine;
  /** Without nodes where the snapshot is refused. */
  readonly workflow: Workflow;
  readonly keeper: ProjectionKeeper;
  /** Invocations inside; the registry counts them. */
  users = 0;
  #job: JobState;
  #isSpent = false;
  /** The entry whose creation is under way. */
  #unanswered: { readonly seq: number; readonly write_id: string; batch: Batch } | undefined;
  #fault: WorkflowError | undefined;
  #isOpen = true;
  #waiting: Waiting[] = [];
  #isDraining = false;
  #turn: Promise<void> = Promise.resolve();
  readonly #pinned: Workflow | undefined;
  readonly #documents: JobDocuments;
  #local = new LocalAttempts();

  constructor(
    engine: Engine,
    loaded: { readonly projected: Projected; readonly etag: string; readonly wake_at?: Instant },
    pinned: Workflow | undefined,
  ) {
    const workflow = pinned ?? emptyWorkflow(loaded.projected.job);
    this.engine = engine;
    this.workflow = workflow;
    this.#pinned = pinned;
    this.#job = loaded.projected.job;
    this.#documents = new JobDocuments(engine.journal, () => this.#job);
    this.keeper = new ProjectionKeeper({
      engine,
      stored: { ...loaded, seq: loaded.projected.job.seq },
      watch: loaded.projected.watch,
      source: {
        job: () => this.#job,
        workflow: () => workflow,
        attempts: () => this.#local.all,
        behind: (job) => this.#exclusively(async () => this.#take(job)),
        reach: (seq) => this.reach(seq),
      },
    });
  }

  get job(): JobState {
    return this.#job;
  }

  /** A spent session failed to commit; it must be left and never entered again. */
  get isSpent(): boolean {
    return this.#isSpent;
  }

  /** False once the last user has left: whoever comes later needs a new session. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The first user enters: the session shares what this process runs of the job. */
  open(local: LocalAttempts): void {
    this.#local = local;
    if (local.all.length > 0) this.keeper.watchAttempts(this.engine.clock.now(), 0);
  }

  close(): void {
    this.#isOpen = false;
    this.keeper.close();
  }

  /** As `catchUp`, and what other processes know of leases: before leases are judged. */
  async freshen(): Promise<JobState> {
    await this.keeper.lookAgain();
    const job = await this.catchUp();
    // Whoever is at work in this very process is not lost, whatever it could not write.
    this.keeper.vouch();
    return job;
  }

  /** Folds whatever others have written since; exact for the moment of the call. */
  async catchUp(): Promise<JobState> {
    return this.#exclusively(async () => {
      await this.#fold();
      return this.#job;
    });
  }

  /** Folds up to entry `rev`. False where an entry that must exist is not there yet. */
  async reach(rev: number): Promise<boolean> {
    if (this.#job.seq >= rev) return true;
    return this.#exclusively(async () => {
      await this.#fold({ to: rev });
      return this.#job.seq >= rev;
    });
  }

  /** What is not as it was written is stepped over; the next entry begins the end. */
  async #fold(bound: { readonly to?: number } = {}): Promise<void> {
    const given = { job: this.#job, workflow: this.#pinned, ...bound };
    const folded = await foldVerified(this.engine.journal, given);
    this.#fault ??= folded.fault;
    this.#take(folded.job);
  }

  /**
   * Decides an occurrence and records what follows. Occurrences that wait together become one
   * entry. Rejects with a retryable error where the store fails; the session is spent then.
   */
  commit(occurrence: Occurrence, options: CommitOptions): Promise<Committed> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ occurrence, options, resolve, reject });
      if (this.#isDraining) return;
      this.#isDraining = true;
      void this.#exclusively(() => this.#drain());
    });
  }

  /**
   * Registers an attempt claimed by this process at `since`: it shares lease renewals and aborts
   * until it is released, after its outcome was recorded.
   */
  runs(attempt: LocalAttempt, since: Instant): () => void {
    this.keeper.watchAttempts(since);
    return this.#local.add(attempt, this.#job);
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        // Whoever arrives while an entry is being created waits for the next one.
        const batch = this.#waiting.splice(0);
        try {
          await this.#commitBatch(batch);
        } catch (error) {
          this.#spend(error, batch);
        }
      }
    } finally {
      this.#isDraining = false;
    }
  }

  #spend(error: unknown, batch: readonly Waiting[]): void {
    this.#isSpent = true;
    const unanswered = this.#unanswered;
    // Whoever comes later has nothing in that entry.
    this.#unanswered = undefined;
    let isLogged = false;
    const found = (): void => {
      if (isLogged || unanswered === undefined) return;
      isLogged = true;
      this.#tell(unanswered.batch.events);
    };
    for (const [index, { reject }] of batch.entries()) {
      if (unanswered === undefined || !(error instanceof WorkflowError)) reject(error);
      else {
        const committed = { job: this.#job, ...(unanswered.batch.each[index] ?? NOTHING) };
        reject(new UnansweredCommit(error, { ...unanswered, found }, committed));
      }
    }
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  async #commitBatch(batch: readonly Waiting[]): Promise<void> {
    if (this.#isSpent) {
      throw new WorkflowError("STORE_UNAVAILABLE", "the session is spent", { retryable: true });
    }
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
      if (conflicts > 1) await this.#pause(conflicts);
      const decided = await this.#decided(batch);
      if (decided.events.length === 0 || (await this.#record(decided))) {
        for (const [index, { resolve }] of batch.entries()) {
          const { effects, changed } = decided.each[index] ?? NOTHING;
          resolve({ job: this.#job, effects, changed });
        }
        return;
      }
      await this.#fold();
    }
    const message = `job ${this.#job.job_id}: ${MAX_CONFLICTS} conflicts in a row`;
    throw new WorkflowError("STORE_CONFLICT", message, { retryable: true });
  }

  async #pause(conflicts: number): Promise<void> {
    const { clock, randomness } = this.engine;
    const ms = randomness.fraction() * Math.min(5 * 2 ** conflicts, MAX_PAUSE_MS);
    await new Promise<void>((resume) => clock.after(ms, resume));
  }

  async #decided(batch: readonly Waiting[]): Promise<Batch> {
    try {
      return await this.#decide(batch);
    } catch (error) {
      if (this.#fault !== undefined || !isTampered(error)) throw error;
      this.#fault = error;
      return this.#decide(batch);
    }
  }

  async #decide(batch: readonly Waiting[]): Promise<Batch> {
    const fault = this.#fault;
    const jitter = this.engine.randomness.fraction();
    const now = this.engine.clock.now();
    const loaded = this.#documents.known();
    let job = this.#job;
    let entryBytes = 0;
    const events: JournalEvent[] = [];
    const objects = new Map<string, NewObject>();
    const each: Told[] = [];
    let result: JsonObject | undefined;
    for (const { occurrence, options } of behindFault(batch, fault)) {
      const context = this.#context({ now, jitter, loaded, entryBytes, options });
      const decision = await this.#decideOne(job, occurrence, { context, loaded });
      job = decision.job;
      entryBytes = decision.entry_bytes;
      events.push(...decision.events);
      for (const object of decision.objects) objects.set(object.id, object);
      // Nothing of this entry is stored yet; the next occurrence of it may ask all the same.
      for (const [id, document] of pendingDocuments(loaded, decision)) loaded.set(id, document);
      each.push({ effects: decision.effects, changed: decision.events.length > 0 });
      result = decision.result_data ?? result;
    }
    const base = { job, now, events, objects: [...objects.values()] };
    const told = { ...base, each: withoutFault(each, fault) };
    return { ...told, ...(result === undefined ? {} : { result }) };
  }

  async #decideOne(
    job: JobState,
    occurrence: Occurrence,
    given: {
      readonly context: AdvanceContext;
      readonly loaded: Map<string, JsonObject | null>;
    },
  ): Promise<Extract<Decision, { kind: "decided" }>> {
    for (;;) {
      const decision = await this.#paced(advancing(job, occurrence, given.context));
      if (decision.kind === "decided") return decision;
      // A node may be decided only by what the one before it read: that takes a round each.
      const isNew = decision.needs.some((id) => !given.loaded.has(id));
      invariant(isNew, `job ${job.job_id}: a decision asks for what it has been given`);
      await this.#documents.load(decision.needs, given.loaded);
    }
  }

  /** Lets the process serve others wherever the work rests. */
  async #paced<T>(work: Paced<T>): Promise<T> {
    for (;;) {
      const part = work.next();
      if (part.done === true) return part.value;
      await nextTurn(this.engine.clock);
    }
  }

  #context(given: {
    readonly now: Instant;
    readonly jitter: number;
    readonly loaded: ReadonlyMap<string, JsonObject | null>;
    readonly entryBytes: number;
    readonly options: CommitOptions;
  }): AdvanceContext {
    const { engine } = this;
    const { canContinue, continueSeconds, oldestMessageAt } = given.options;
    return {
      workflow: this.workflow,
      now: given.now,
      jitter: given.jitter,
      build: engine.build,
      sha256,
      hashBytes,
      handlers: engine.handlers.versions,
      can_continue: canContinue,
      ...(continueSeconds === undefined ? {} : { continue_seconds: continueSeconds }),
      timing: engine.timing,
      watch: this.keeper.watch,
      loaded: given.loaded,
      entry_bytes: given.entryBytes,
      ...(oldestMessageAt === undefined ? {} : { oldest_message_at: oldestMessageAt }),
    };
  }

  /** Objects first, then the entry. False where another process made this transition. */
  async #record(batch: Batch): Promise<boolean> {
    const { engine } = this;
    const { job } = batch;
    const common = journalMembers(job, batch.now);
    await Promise.all(
      batch.objects.map(({ id, body }) =>
        engine.journal.create({ ...common, id, write_id: engine.randomness.writeId(), ...body }),
      ),
    );
    const seq = this.#job.seq + 1;
    const last = batch.events.at(-1);
    invariant(last !== undefined, "an entry holds events");
    const at = batch.now > this.#job.at ? batch.now : this.#job.at;
    const entry: JournalEntry = {
      id: String(seq),
      ...common,
      write_id: engine.randomness.writeId(),
      seq,
      at,
      build: engine.build,
      events: batch.events,
      ...(batch.result === undefined ? {} : { result_data: batch.result }),
    };
    this.#unanswered = { seq, write_id: entry.write_id, batch };
    const stored = storedEntry(entry, this.#job.build);
    const created = await this.#answered(engine.journal.create(stored));
    if (created === "exists") return false;
    if (batch.events.some(({ type }) => type === "chunk_completed")) {
      // The fan_in will ask for it.
      this.#documents.keep(entry.id, entry as unknown as JsonObject);
    }
    this.#take({ ...job, seq, at, build: engine.build });
    this.#tell(batch.events);
    return true;
  }

  #tell(events: readonly JournalEvent[]): void {
    logTransition(this.engine, { job: this.#job, workflow: this.workflow, events });
  }

  /** Waits for the answer to the entry's creation; only a failure of the world leaves it open. */
  async #answered<T>(creation: Promise<T>): Promise<T> {
    try {
      const answer = await creation;
      this.#unanswered = undefined;
      return answer;
    } catch (error) {
      if (!isRetryable(error)) this.#unanswered = undefined;
      throw error;
    }
  }

  #take(job: JobState): void {
    if (job.seq <= this.#job.seq) return;
    this.#job = job;
    this.keeper.moved();
    this.#local.abortUnwanted(job);
  }

  /** Whether everything this process knows of the job is in the stored projection. */
  get isProjected(): boolean {
    return this.keeper.isCurrent;
  }

  get isOver(): boolean {
    return isTerminalJob(this.#job);
  }
}

