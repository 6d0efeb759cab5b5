// Whoever uses a simulated world: submits jobs and tries again until somebody answers, cancels,
// reads; edits definitions under running jobs; writes nonsense into the queue. A read must never
// say what the journal does not.
import type { Submission } from "../../src/runtime/submission.ts";
import { isTerminalJob } from "../../src/core/job.ts";
import type { JobState } from "../../src/core/job.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { storedState } from "../../src/core/stored.ts";
import { knownDefinition } from "./definitions.ts";
import { STREAM } from "./dice.ts";
import { CURRENT_KIT } from "./kit.ts";
import type { Happening, JobPlan } from "./plan.ts";
import { isSame } from "./same.ts";
import { instantAt } from "./sim-store.ts";
import type { Actor, Call, Stage } from "./stage.ts";

/** Tries of one submission while faults fire; then it waits for the calm. */
const MAX_TRIES = 5;

export class Clients {
  /** By the place in the plan: the ids that were answered. */
  readonly answers = new Map<number, Set<string>>();
  readonly #world: Stage;
  #open = 0;
  #calls = 0;

  constructor(world: Stage) {
    this.#world = world;
    world.cancel = (jobId) => this.#cancel(jobId, 1);
    for (const [index, job] of world.plan.jobs.entries()) {
      world.catalog.put(knownDefinition(job.definition));
      for (let client = 0; client < job.clients; client += 1) {
        this.#open += 1;
        world.time.after(job.at, () => this.#submit(index, job, 1));
      }
    }
    for (const one of world.plan.happenings) {
      world.time.after(one.at, () => this.#happen(one));
    }
  }

  /** Whether every submission has been answered or refused. */
  get isDone(): boolean {
    return this.#open === 0;
  }

  /** Whether anybody was told that this job was accepted. */
  isKnown(jobId: string): boolean {
    for (const answers of this.answers.values()) if (answers.has(jobId)) return true;
    return false;
  }

  /** Somebody to ask; whoever dies meanwhile answers nothing. */
  #process(): Actor | undefined {
    this.#calls += 1;
    return this.#world.someProcess(this.#calls);
  }

  #submit(index: number, job: JobPlan, tries: number): void {
    const world = this.#world;
    const process = this.#process();
    if (process === undefined) {
      world.time.after(500, () => this.#submit(index, job, tries));
      return;
    }
    const again = (): void => {
      const untilCalm = Math.max(1000, world.plan.calm_at - world.time.now);
      const wait = tries < MAX_TRIES ? 1000 * tries : untilCalm;
      world.time.after(wait, () => this.#submit(index, job, tries + 1));
    };
    this.#asked(process, { phase: "submit", jobId: "" }, () => this.#submission(process, job)).then(
      ({ job: { job_id } }) => {
        this.#open -= 1;
        const answers = this.answers.get(index) ?? new Set<string>();
        this.answers.set(index, answers.add(job_id));
        if (job.key !== undefined && answers.size > 1) world.fail("one key, two jobs");
        // Without a projection nobody finds the job: not the sweeper, and not a list of jobs.
        const isProjected = world.judge.trials.get(job_id)?.projected !== undefined;
        if (!isProjected) world.fail(`${job_id} is accepted without a projection`);
        world.say(`job ${index} is ${job_id}`);
      },
      (error: unknown) => {
        if (isRetryable(error)) again();
        else this.#refused(error);
      },
    );
  }

  #refused(error: unknown): void {
    const { code } = error as { readonly code?: unknown };
    this.#open -= 1;
    if (code === "WORKFLOW_NOT_FOUND") return;
    this.#world.fail(`a submission is refused: ${String(error)}`);
  }

  #submission(process: Actor, job: JobPlan): ReturnType<typeof process.kit.submitJob> {
    const { engine, versions, kit } = process;
    const submitter = { engine, catalog: this.#world.catalog, versions, vars: {} };
    const { workflow_id } = knownDefinition(job.definition).entry.definition;
    const submission: Submission = { workflow_id, input_params: job.input as JsonObject };
    const key = job.key === undefined ? {} : { idempotency_key: job.key };
    return kit.submitJob(submitter, submission, { authenticated_as: "key", ...key });
  }

  /** A call that a client makes: it fails where the process dies before it answers. */
  #asked<T>(process: Actor, call: Call, work: () => Promise<T>): Promise<T> {
    const { time, host } = this.#world;
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (process.isAlive) watching = time.after(1000, look);
        else reject(new Unanswered());
      };
      let watching = time.after(1000, look);
      host.runs(process, call, work).then(
        (value) => {
          watching.isCancelled = true;
          resolve(value);
        },
        (error: unknown) => {
          watching.isCancelled = true;
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  #happen(one: Happening): void {
    const world = this.#world;
    world.happened(one.type);
    switch (one.type) {
      case "crash": {
        const process = world.processes[one.process];
        if (process !== undefined) world.crash(process, one.ms);
        return;
      }
      case "pause": {
        const process = world.processes[one.process];
        const until = Math.min(world.time.now + one.ms, world.plan.calm_at);
        // Who stands still longer already is not woken by it.
        if (process !== undefined) process.pausedUntil = Math.max(process.pausedUntil, until);
        return;
      }
      case "jump": {
        const process = world.processes[one.process];
        if (process !== undefined) process.skew += one.ms;
        return;
      }
      case "cancel":
        this.#cancel(this.#jobId(one.job), 2);
        return;
      case "read":
        this.#read(one.job);
        return;
      case "sweep":
        world.host.sweep();
        return;
      case "forge":
        this.#forge(one.job, one.kind);
        return;
      case "outage":
        world.requests.outageOf = one.what;
        world.requests.outageUntil = Math.min(world.time.now + one.ms, world.plan.calm_at);
        return;
      case "publish":
        this.#publish(one.job, one.how);
    }
  }

  #jobId(job: number): string | undefined {
    const [jobId] = this.answers.get(job) ?? [];
    return jobId;
  }

  #cancel(jobId: string | undefined, times: number): void {
    const world = this.#world;
    const process = this.#process();
    if (jobId === undefined || process === undefined || times === 0) return;
    if (!world.judge.cancelled.has(jobId)) world.judge.cancelled.set(jobId, world.time.now);
    const { cancelJob } = process.kit;
    const request = { job_id: jobId, requested_by: "a client" };
    this.#asked(process, { phase: "cancel", jobId }, () =>
      cancelJob(process.sessions, process.engine, request),
    ).then(
      () => this.#cancel(jobId, times - 1),
      (error: unknown) => {
        const { code } = error as { readonly code?: unknown };
        if (code === "JOB_TERMINAL") this.#terminal(jobId);
        else if (isRetryable(error) || code === "JOB_NOT_FOUND") {
          world.judge.losses.add(jobId, "cancel unanswered");
        } else world.fail(`a cancel fails: ${String(error)}`);
      },
    );
  }

  #terminal(jobId: string): void {
    const trial = this.#world.judge.trials.get(jobId);
    if (trial?.endedAt === undefined) this.#world.fail(`${jobId} is called terminal and is not`);
  }

  #read(job: number): void {
    const jobId = this.#jobId(job);
    const process = this.#process();
    // An older build takes a job's id in another form.
    if (jobId === undefined || process?.kit !== CURRENT_KIT) return;
    const { readJob, resultView } = process.kit;
    const { engine } = process;
    const what = { phase: "read", jobId: "" };
    this.#asked(process, what, () => readJob(engine, { job_id: jobId })).then(
      (state) => this.#checkRead(state),
      (error: unknown) => this.#checkUnread(error),
    );
    this.#asked(process, what, () => resultView(engine, { job_id: jobId })).then(
      () => this.#terminal(jobId),
      (error: unknown) => this.#checkUnread(error),
    );
  }

  #checkRead(state: JobState): void {
    const trial = this.#world.judge.trials.get(state.job_id);
    const truth = trial?.stateAt(state.seq);
    const isTrue = truth !== undefined && isSame(storedState(state), storedState(truth));
    if (!isTrue) this.#world.fail(`${state.job_id} reads as it never was, entry ${state.seq}`);
    if (isTerminalJob(state)) this.#terminal(state.job_id);
  }

  #checkUnread(error: unknown): void {
    const { code } = error as { readonly code?: unknown };
    const isExcused = code === "JOB_NOT_FOUND" || code === "JOB_NOT_TERMINAL";
    // A stale read may not see what the journal names; nothing is said then.
    const isUnseen = code === "SNAPSHOT_INVALID" || code === "DOCUMENT_INVALID";
    if (isExcused || isUnseen || isRetryable(error)) return;
    this.#world.fail(`a read fails: ${String(error)}`);
  }

  #publish(job: number, how: string): void {
    const plan = this.#world.plan.jobs[job];
    if (plan === undefined) return;
    const known = knownDefinition(plan.definition);
    const { catalog } = this.#world;
    const other = how === "again" ? known.again?.() : how === "next" ? known.next?.() : undefined;
    if (how === "remove") catalog.remove(known.entry.definition.workflow_id);
    else catalog.put(other ?? known);
  }

  /** Messages that nobody of ours sent. */
  #forge(job: number, kind: number): void {
    const world = this.#world;
    const jobId = this.#jobId(job) ?? "00000000-0000-7000-8000-0000000000ff";
    const trial = world.judge.trials.get(jobId);
    const nodes = [...(trial?.model.nodes.keys() ?? ["n0"])];
    const node_id = nodes[world.dice.below(STREAM.happening, kind, nodes.length)] ?? "n0";
    const first_sent_at = instantAt(world.time.now - 870_000);
    const base = { v: 1, job_id: jobId, rev: 0, first_sent_at, deferrals: 0 };
    const forged: readonly unknown[] = [
      { ...base, kind: "task", node_id, attempt: 1 + (kind % 4) },
      { ...base, kind: "chunk", node_id, chunk: kind % 9, attempt: 1 + (kind % 3) },
      { ...base, kind: "wake", rev: 9999 },
      { ...base, kind: "start" },
      { ...base, v: 2, kind: "later" },
      { ...base, kind: "task", node_id: "nobody", attempt: 1 },
      { ...base, kind: "wake", job_id: "00000000-0000-7000-8000-0000000000ff" },
      "nonsense",
      { v: 1, kind: "task" },
    ];
    world.post.put(JSON.stringify(forged[kind % forged.length]), 0);
  }
}

class Unanswered extends Error {
  readonly retryable = true;
}

function isRetryable(error: unknown): boolean {
  return (error as { readonly retryable?: unknown }).retryable === true;
}
