// A simulated world: stores, queue, clock, processes and everything that goes wrong, driven by one
// timeline and one seed. Whatever happens is decided here or by a hash of the seed, never by the
// machine it runs on, so the same plan gives the same trace, byte for byte.
import type { Randomness } from "../../src/runtime/ports.ts";
import { Catalog } from "./catalog.ts";
import { Dice, STREAM } from "./dice.ts";
import { Host } from "./host.ts";
import { Judge } from "./judge.ts";
import type { EngineKit } from "./kit.ts";
import { CURRENT_KIT } from "./kit.ts";
import { NO_RATES } from "./plan.ts";
import type { Faults, Plan, ProcessPlan, Rates } from "./plan.ts";
import { Post } from "./post.ts";
import { Requests } from "./requests.ts";
import { Handlers } from "./sim-handlers.ts";
import type { HandlerMaker } from "./sim-handlers.ts";
import { SimProcess, worldRandomness } from "./sim-process.ts";
import { SimStore } from "./sim-store.ts";
import type { Actor, LogRow, Stage } from "./stage.ts";
import { settled, Timeline } from "./timeline.ts";

export interface WorldOptions {
  readonly kits?: readonly EngineKit[];
  /** Keeps a line for everything that happens. */
  readonly isTraced?: boolean;
}

/** More than this is a world that turns in circles. */
const MAX_STEPS = 400_000;

export class World implements Stage {
  readonly plan: Plan;
  readonly dice: Dice;
  readonly time = new Timeline();
  readonly judge: Judge;
  readonly store: SimStore;
  readonly post: Post;
  readonly host: Host;
  readonly catalog = new Catalog();
  readonly handlers: Handlers;
  readonly requests: Requests;
  readonly randomness: Randomness;
  readonly processes: SimProcess[] = [];
  /** Faults that fired, by place: a plan that lists them gives this very run again. */
  readonly faults: Record<string, string> = {};
  readonly fired: Record<string, number> = {};
  readonly trace: string[] = [];
  /** The first thing that should not have been. */
  violation: string | undefined;
  readonly #kits: readonly EngineKit[];
  readonly #isTraced: boolean;
  #processes = 0;
  /** Until there are clients nobody asks. */
  cancel: (jobId: string) => void = () => undefined;

  constructor(plan: Plan, options: WorldOptions = {}) {
    this.plan = plan;
    this.#kits = options.kits ?? [CURRENT_KIT];
    this.#isTraced = options.isTraced ?? false;
    this.dice = new Dice(plan.seed);
    this.randomness = worldRandomness((number) => this.dice.unit(STREAM.fraction, number));
    this.judge = new Judge(this);
    this.store = new SimStore(this.judge);
    this.post = new Post(this);
    this.requests = new Requests(this);
    this.handlers = new Handlers(this);
    this.host = new Host(this);
  }

  /** Handlers beside the scripted ones; before the world begins. */
  use(maker: HandlerMaker): void {
    this.handlers.maker = maker;
  }

  begin(): void {
    for (const [place, one] of this.plan.processes.entries()) {
      const process = new SimProcess(this, place, one);
      this.processes.push(process);
      this.handlers.warm(process);
    }
  }

  /** Faults stop: clocks are right, and every build has every handler. */
  calm(): void {
    for (const process of this.processes) {
      process.skew = 0;
      if (process.plan.lacks.length > 0 && process.isAlive) this.crash(process, 100);
    }
  }

  /** Whether faults may still fire. */
  get isChaos(): boolean {
    return this.time.now < this.plan.calm_at;
  }

  get rates(): Rates {
    return this.isChaos && this.plan.mode !== "fault_free" ? this.plan.rates : NO_RATES;
  }

  /** Goes on until `isDone`, or until something is wrong. */
  async run(isDone: () => boolean): Promise<void> {
    await settled();
    for (let steps = 0; this.violation === undefined && !isDone(); steps += 1) {
      if (steps > MAX_STEPS) this.fail(`more than ${MAX_STEPS} steps`);
      if (!this.time.step()) this.fail("nothing is left to happen, and the world is not done");
      await settled();
      if (this.handlers.isQuiet) continue;
      await this.handlers.quiet();
      await settled();
    }
  }

  /** The fault at a place: the listed one, or one drawn at `rate`; undefined for none. */
  decide(place: string, draw: () => string | undefined): string | undefined {
    const listed = this.plan.faults;
    return listed === undefined ? draw() : listed[place];
  }

  /** A fault takes effect. */
  fire(place: string, fault: string): void {
    const [name = fault] = fault.split(":", 1);
    this.faults[place] = fault;
    this.fired[name] = (this.fired[name] ?? 0) + 1;
    if (this.#isTraced) this.say(`! ${place} ${fault}`);
  }

  /** Something that the plan lists happens. */
  happened(name: string): void {
    this.fired[name] = (this.fired[name] ?? 0) + 1;
    if (this.#isTraced) this.say(`! ${name}`);
  }

  say(line: string): void {
    if (this.#isTraced) this.trace.push(`${this.time.now} ${line}`);
  }

  get isTraced(): boolean {
    return this.#isTraced;
  }

  fail(message: string): void {
    if (this.violation !== undefined) return;
    this.violation = message;
    this.say(`VIOLATION ${message}`);
  }

  nextProcess(): number {
    this.#processes += 1;
    return this.#processes;
  }

  kitOf(plan: ProcessPlan): EngineKit {
    const kit = this.#kits[plan.kit] ?? this.#kits[0];
    if (kit === undefined) throw new Error("a world has a kit");
    return kit;
  }

  /** A process that takes work now: by chance, or by order where there is no noise. */
  someProcess(number: number): SimProcess | undefined {
    const ready = this.processes.filter(({ isAlive, isPaused }) => isAlive && !isPaused);
    if (ready.length <= 1) return ready[0];
    const index = this.plan.noise
      ? this.dice.below(STREAM.process, number, ready.length)
      : number % ready.length;
    return ready[index];
  }

  /** A process dies; another one takes its place after a while. */
  crash({ place, number }: Actor, restartMs?: number): void {
    const process = this.processes[place];
    if (process?.number !== number || !process.isAlive) return;
    process.die();
    this.host.died(process);
    this.say(`p${process.number} died`);
    const ms = restartMs ?? 100 + this.dice.below(STREAM.restart, process.number, 20_000);
    this.time.after(ms, () => this.restart(process.place));
  }

  restart(place: number): void {
    const plan = this.plan.processes[place];
    if (plan === undefined) return;
    const now = this.isChaos ? plan : { ...plan, skew: 0, lacks: [], kit: 0 };
    const process = new SimProcess(this, place, now);
    this.processes[place] = process;
    this.handlers.warm(process);
    this.say(`p${process.number} began in place ${place}`);
  }

  logged(process: Actor, row: LogRow): void {
    this.judge.logged(row.name, row.fields);
    if (!this.#isTraced) return;
    const fields = Object.entries(row.fields).filter(([, value]) => value !== undefined);
    const shown = fields.map(([name, value]) => `${name}=${String(value)}`).join(" ");
    this.say(`p${process.number} log ${row.name} ${shown}`);
  }

  /** The faults that fired, so that the run can be had again. */
  get explicitFaults(): Faults {
    return { ...this.faults };
  }
}
