// The platform around the processes: hands out messages, renews their leases, gives up those that
// fail too often, and fires the sweeper's timer. It deletes messages that nobody handled, hands
// others out twice, and fires the timer late, twice or not at all, as real ones do.
import type { ReceivedMessage } from "../../src/memory/memory-queue.ts";
import type { Swept } from "../../src/runtime/sweep.ts";
import { STREAM } from "./dice.ts";
import { LEASE_SECONDS } from "./post.ts";
import type { Actor, Call, Stage } from "./stage.ts";

const SWEEP_MS = 60_000;
const DELIVERY_FAULTS = ["poisoned", "lost", "twice", "twice", "undeleted"] as const;
const SWEEP_FAULTS = ["late_sweep", "no_sweep", "doubled_sweep"] as const;

export class Host {
  /** What sweeps did. */
  rescues = 0;
  resent = 0;
  /** Invocations of living processes that have not ended. */
  readonly #running = new Map<Actor, Set<Call>>();
  readonly #world: Stage;
  #takes = 0;
  #sweeps = 0;
  #calls = 0;

  constructor(world: Stage) {
    this.#world = world;
    if (world.plan.mode !== "no_rescue") this.#nextSweep();
  }

  get isIdle(): boolean {
    for (const [process, calls] of this.#running) {
      if (process.isAlive && calls.size > 0) return false;
    }
    return true;
  }

  /** A message was received: a process handles it, or something else becomes of it. */
  take(message: ReceivedMessage): void {
    const world = this.#world;
    this.#takes += 1;
    const number = this.#takes;
    const place = `take:${number}`;
    const fault = world.decide(place, () => {
      const { message: rate } = world.rates;
      if (rate === 0 || world.dice.unit(STREAM.delivery, number) >= rate) return undefined;
      return world.dice.pick(STREAM.argument, 4_000_000 + number, DELIVERY_FAULTS);
    });
    if (fault !== undefined) world.fire(place, fault);
    if (fault === "lost" || fault === "poisoned") {
      world.post.complete(message);
      world.judge.lostMessage(message.text, fault);
      if (fault === "poisoned") this.#giveUp(message.text, number);
      return;
    }
    this.#hand(message, { keeps: fault === "undeleted" || fault === "twice" });
    if (fault !== "twice") return;
    this.#hand({ ...message, dequeue_count: message.dequeue_count + 1 }, { keeps: false });
  }

  #hand(message: ReceivedMessage, given: { readonly keeps: boolean }): void {
    const world = this.#world;
    this.#calls += 1;
    const process = world.someProcess(this.#calls);
    if (process === undefined) {
      world.time.after(1000, () => this.#hand(message, given));
      return;
    }
    const delay = world.plan.noise ? world.dice.below(STREAM.delivery, -this.#calls, 30) : 0;
    process.after(delay, () => this.#invoke(process, message, given));
  }

  #invoke(
    process: Actor,
    message: ReceivedMessage,
    { keeps }: { readonly keeps: boolean },
  ): void {
    const world = this.#world;
    const { text, dequeue_count: dequeueCount } = message;
    if (world.isTraced) world.say(`p${process.number} takes ${text} (${dequeueCount})`);
    const body: unknown = JSON.parse(text);
    const renewal = this.#renewing(process, message);
    const call = (): Promise<void> =>
      process.kit.processMessage(process.sessions, process.engine, {
        body,
        delivery: { dequeueCount },
      });
    const jobId = String((body as { readonly job_id?: unknown }).job_id);
    this.runs(process, { phase: "message", jobId, isKept: keeps }, call).then(
      () => {
        renewal();
        if (!keeps) world.post.complete(message);
      },
      (error: unknown) => {
        renewal();
        world.judge.rejected("a message", error);
        const given = world.post.release(message);
        if (given === undefined) return;
        world.judge.lostMessage(given, "poisoned");
        this.#poison(given);
      },
    );
  }

  /** Runs something in a process and counts it while it lasts; never settles when it dies. */
  runs<T>(process: Actor, call: Call, work: () => Promise<T>): Promise<T> {
    const calls = this.#running.get(process) ?? new Set<Call>();
    this.#running.set(process, calls.add(call));
    return new Promise((resolve, reject) => {
      process.inPhase(call.phase, work).then(
        (value) => {
          calls.delete(call);
          if (process.isAlive) resolve(value);
        },
        (error: unknown) => {
          calls.delete(call);
          if (process.isAlive) reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  /** What it was about is unfinished; its messages come back, its callers hear nothing. */
  died(process: Actor): void {
    for (const { phase, jobId, isKept } of this.#running.get(process) ?? []) {
      if (phase === "message" && isKept) this.#world.judge.losses.add(jobId, "worker died");
      if (phase !== "message") this.#world.judge.losses.add(jobId, "caller died");
    }
    this.#running.delete(process);
  }

  /** While a function runs the host keeps its message hidden; the answer ends that. */
  #renewing(process: Actor, message: ReceivedMessage): () => void {
    const { time, post } = this.#world;
    let planned = time.after((LEASE_SECONDS / 2) * 1000, () => renew());
    const renew = (): void => {
      if (!process.isAlive || (!process.isPaused && !post.renew(message))) return;
      planned = time.after((LEASE_SECONDS / 2) * 1000, renew);
    };
    return () => {
      planned.isCancelled = true;
    };
  }

  /** The poison queue delivers at least once as well: now and then its function runs again. */
  #giveUp(text: string, number: number): void {
    const times = this.#world.dice.unit(STREAM.delivery, -number) < 0.3 ? 3 : 1;
    for (let time = 0; time < times; time += 1) this.#poison(text);
  }

  #poison(text: string): void {
    const world = this.#world;
    if (world.plan.mode === "no_rescue") return;
    this.#calls += 1;
    const process = world.someProcess(this.#calls);
    const again = process === undefined ? 1000 : 50;
    if (process === undefined) world.time.after(again, () => this.#poison(text));
    else process.after(again, () => this.givenUp(process, text));
  }

  /** The poison function runs. */
  givenUp(process: Actor, text: string): void {
    const { processPoison } = process.kit;
    const call = (): Promise<void> => processPoison(process.sessions, process.engine, text);
    this.runs(process, { phase: "poison", jobId: "" }, call).catch((error: unknown) => {
      this.#world.fail(`the poison function threw: ${String(error)}`);
    });
  }

  #nextSweep(): void {
    const world = this.#world;
    this.#sweeps += 1;
    const number = this.#sweeps;
    world.time.after(SWEEP_MS, () => {
      this.#nextSweep();
      const place = `sweep:${number}`;
      const fault = world.decide(place, () => {
        const { sweep: rate } = world.rates;
        if (rate === 0 || world.dice.unit(STREAM.sweep, number) >= rate) return undefined;
        return world.dice.pick(STREAM.argument, 5_000_000 + number, SWEEP_FAULTS);
      });
      if (fault !== undefined) world.fire(place, fault);
      if (fault === "no_sweep") return;
      const late = fault === "late_sweep" ? world.dice.below(STREAM.sweep, -number, 90_000) : 0;
      world.time.after(late, () => this.sweep());
      if (fault === "doubled_sweep") world.time.after(late + 5, () => this.sweep());
    });
  }

  sweep(): void {
    this.#calls += 1;
    const process = this.#world.someProcess(this.#calls);
    if (process === undefined) return;
    const { sweep } = process.kit;
    const call = (): Promise<Swept> => sweep(process.sessions, process.engine);
    this.runs(process, { phase: "sweep", jobId: "" }, call).then(
      ({ advanced, resent }) => {
        this.rescues += advanced;
        this.resent += resent;
      },
      // A store that is down cannot be listed; the timer fires again.
      (error: unknown) => this.#world.judge.rejected("a sweep", error),
    );
  }
}
