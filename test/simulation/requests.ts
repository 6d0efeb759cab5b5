// Requests on their way to a store or to the queue, and what can go wrong with each: it may not
// arrive, arrive late, be applied without an answer, or find that another writer was faster. A
// request of a process that died meanwhile may still arrive, as a packet on the wire would.
import type { Message } from "../../src/core/message.ts";
import { STREAM } from "./dice.ts";
import type { RequestFault } from "./plan.ts";
import type { Actor, SimRequest, Stage } from "./stage.ts";

interface Flight<T> extends SimRequest<T> {
  readonly process: Actor;
  readonly number: number;
  readonly fault: string | undefined;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** The most writes that a stale read lacks. */
const MAX_LAG = 12;
/** A blink; just past a lease, and past the suspicion before it; past a re-send or two. */
const FROZEN_SECONDS = [5, 62, 75, 90, 130, 200, 400];

/** A cancel takes that long, or longer: the request may come at any point of it. */
const CANCEL_MS = 60;

export class Requests {
  count = 0;
  readonly sites: Record<string, number> = {};
  /** Stores or queue refuse everything until then. */
  outageUntil = 0;
  outageOf = "";
  readonly #world: Stage;

  constructor(world: Stage) {
    this.#world = world;
  }

  send<T>(process: Actor, request: SimRequest<T>): Promise<T> {
    if (!process.isAlive) return never();
    this.count += 1;
    const number = this.count;
    const world = this.#world;
    const site = `${request.site} @${process.phases.at(-1) ?? "timer"}`;
    this.sites[site] = (this.sites[site] ?? 0) + 1;
    const fault = this.#faultOf(number, request);
    if (world.isTraced) world.say(`p${process.number} #${number} ${site} ${fault ?? ""}`);
    return new Promise((resolve, reject) => {
      const flight = { ...request, process, number, fault, resolve, reject };
      world.time.after(this.#latency(number), () => this.#arrive(flight));
    });
  }

  #faultOf(number: number, { site, faults }: SimRequest<unknown>): string | undefined {
    const world = this.#world;
    const isOut = this.outageUntil > world.time.now;
    if (isOut && site.startsWith("queue") === (this.outageOf === "queue")) return "refused";
    const place = `io:${number}`;
    const fault = world.decide(place, () => {
      const { io } = world.rates;
      if (io === 0 || world.dice.unit(STREAM.io_fault, number) >= io) return undefined;
      const kind = world.dice.pick(STREAM.io_kind, number, faults);
      if (kind === "frozen") {
        return `frozen:${world.dice.pick(STREAM.argument, number, FROZEN_SECONDS)}`;
      }
      if (kind === "cancelled") {
        return `cancelled:${1 + world.dice.below(STREAM.argument, number, CANCEL_MS)}`;
      }
      if (kind !== "stale") return kind;
      return `stale:${1 + world.dice.below(STREAM.argument, number, MAX_LAG)}`;
    });
    if (fault !== undefined) world.fire(place, fault);
    return fault;
  }

  #latency(number: number): number {
    const { plan, dice } = this.#world;
    if (!plan.noise) return 1;
    const drawn = dice.unit(STREAM.latency, number);
    if (drawn < 0.7) return 1 + Math.floor(drawn * 8);
    if (drawn < 0.97) return 5 + Math.floor((drawn - 0.7) * 150);
    return plan.mode === "fault_free" ? 60 : 100 + Math.floor((drawn - 0.97) * 100_000);
  }

  #arrive<T>(flight: Flight<T>): void {
    const { process, number, fault } = flight;
    const world = this.#world;
    const isLost = !process.isAlive && world.dice.unit(STREAM.answer, number) < 0.5;
    if (isLost) return;
    const [kind, argument] = fault === undefined ? [] : fault.split(":");
    switch (kind as RequestFault | undefined) {
      case undefined:
        this.#answer(flight, 0);
        return;
      case "stale":
        world.judge.staleReads.set(flight.jobId, world.time.now);
        this.#answer(flight, Number(argument));
        return;
      case "refused":
      case "throttled":
        this.#refuse(flight, kind === "throttled" ? "THROTTLED" : "UNAVAILABLE");
        return;
      case "ambiguous":
        this.#act(flight, 0);
        this.#refuse(flight, "UNAVAILABLE");
        return;
      case "late":
        this.#refuse(flight, "UNAVAILABLE");
        world.time.after(1000 + world.dice.below(STREAM.argument, number, 20_000), () => {
          this.#act(flight, 0);
        });
        return;
      case "frozen": {
        const until = world.time.now + Number(argument) * 1000;
        process.pausedUntil = Math.max(process.pausedUntil, until);
        this.#answer(flight, 0);
        return;
      }
      case "crash_before":
        world.crash(process);
        return;
      case "crash_after":
        this.#act(flight, 0);
        world.crash(process);
        return;
      case "conflict":
        this.#interfere(flight);
        world.time.after(40, () => this.#answer(flight, 0));
        return;
      case "cancelled":
        world.cancel(flight.jobId);
        world.time.after(Number(argument), () => this.#answer(flight, 0));
    }
  }

  /** Another writer of the same job comes first: a lease is renewed, a poisoned message told. */
  #interfere<T>({ site, jobId, process, number }: Flight<T>): void {
    const world = this.#world;
    if (site.startsWith("jobs.")) {
      world.store.touchJob(jobId, world.randomness.writeId());
      return;
    }
    if (world.plan.mode === "no_rescue") return;
    const other = world.processes.find((one) => one !== process && one.isAlive && !one.isPaused);
    if (other === undefined) return;
    const message: Message = {
      v: 1,
      kind: "wake",
      job_id: jobId,
      rev: 0,
      first_sent_at: process.now(),
      deferrals: number % 7,
    };
    world.host.givenUp(other, JSON.stringify(message));
  }

  #act<T>(flight: Flight<T>, lag: number): T | undefined {
    try {
      return flight.act(lag);
    } catch {
      return undefined;
    }
  }

  #answer<T>(flight: Flight<T>, lag: number): void {
    let answer: { readonly value: T } | { readonly error: unknown };
    try {
      answer = { value: flight.act(lag) };
    } catch (error) {
      answer = { error };
    }
    this.#back(flight, () => {
      if ("value" in answer) flight.resolve(answer.value);
      else flight.reject(answer.error);
    });
  }

  #refuse<T>(flight: Flight<T>, what: "UNAVAILABLE" | "THROTTLED"): void {
    const { WorkflowError } = flight.process.kit;
    const code = flight.site.startsWith("queue") ? "QUEUE_UNAVAILABLE" : `STORE_${what}`;
    const message = `${flight.site}: ${what.toLowerCase()}`;
    const error = new WorkflowError(code as "STORE_UNAVAILABLE", message, { retryable: true });
    this.#back(flight, () => flight.reject(error));
  }

  /** The way back: mostly at once, at times a little later, after a pause when that is over. */
  #back<T>({ process, number }: Flight<T>, hear: () => void): void {
    const { plan, dice } = this.#world;
    const drawn = plan.noise ? dice.unit(STREAM.answer, number) : 1;
    if (drawn < 0.3) process.after(1 + Math.floor(drawn * 40), hear);
    else if (process.isPaused) process.after(0, hear);
    else if (process.isAlive) hear();
  }
}

/** A dead process never hears back. */
function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
