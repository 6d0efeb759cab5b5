// One process of a simulated world: its own sessions, snapshots, handlers and clock. Every request
// goes through the world, which decides what becomes of it. A dead process never hears back; a
// paused one hears, and its timers fire, when the pause is over.
import { instantOf } from "../../src/core/instant.ts";
import type { Instant } from "../../src/core/instant.ts";
import type { Engine } from "../../src/runtime/engine.ts";
import type { Handler } from "../../src/runtime/handlers.ts";
import type { Clock, Log, Randomness } from "../../src/runtime/ports.ts";
import { Secrets } from "../../src/runtime/secrets.ts";
import type { Sessions } from "../../src/runtime/sessions.ts";
import type { VersionRegistry } from "../../src/runtime/version-registry.ts";
import type { EngineKit } from "./kit.ts";
import type { ProcessPlan } from "./plan.ts";
import { SECRET } from "./secret.ts";
import { portsOf } from "./sim-ports.ts";
import { EPOCH_MS } from "./sim-store.ts";
import type { Actor, Stage } from "./stage.ts";

/** Values of the settings HOLDFAST_SECRET_*, for the shipped workflows that ask for them. */
const SECRETS = new Secrets({ API_TOKEN: SECRET });

export class SimProcess implements Actor {
  readonly world: Stage;
  readonly kit: EngineKit;
  /** Counts up over the world's life: a new process in an old one's place has a new number. */
  readonly number: number;
  readonly place: number;
  readonly plan: ProcessPlan;
  readonly engine: Engine;
  readonly sessions: Sessions;
  readonly versions: VersionRegistry;
  isAlive = true;
  /** Until when nothing of it goes on. */
  pausedUntil = 0;
  skew: number;
  /** What its invocations are about, the latest last; names the phase of a request. */
  readonly phases: string[] = [];
  #saidAt = -1;
  #said: Instant = "";

  constructor(world: Stage, place: number, plan: ProcessPlan) {
    this.world = world;
    this.place = place;
    this.plan = plan;
    this.number = world.nextProcess();
    this.kit = world.kitOf(plan);
    this.skew = plan.skew;
    const { ports, definitions } = portsOf(this, world);
    const handlers = world.handlers.of(this).filter(({ name }) => !plan.lacks.includes(name));
    this.engine = {
      ...ports,
      clock: clockOf(this),
      randomness: world.randomness,
      log: logOf(this),
      handlers: new this.kit.HandlerRegistry(handlers as Handler[]),
      secrets: SECRETS,
      snapshots: new this.kit.SnapshotCache(),
      build: plan.build,
      timing: this.kit.DEFAULT_TIMING,
    };
    this.sessions = new this.kit.Sessions(this.engine);
    this.versions = new this.kit.VersionRegistry(this.engine, definitions, { mayRedefine: true });
  }

  get isPaused(): boolean {
    return this.pausedUntil > this.world.time.now;
  }

  now(): Instant {
    const ms = this.world.time.now + this.skew;
    if (ms !== this.#saidAt) {
      this.#saidAt = ms;
      this.#said = instantOf(EPOCH_MS + ms);
    }
    return this.#said;
  }

  /** Calls back unless the process is dead by then; a pause holds it up. */
  after(ms: number, callback: () => void): () => void {
    const { time } = this.world;
    const fire = (): void => {
      if (!this.isAlive) return;
      if (this.isPaused) planned = time.after(this.pausedUntil - time.now, fire);
      else callback();
    };
    let planned = time.after(ms, fire);
    return () => {
      planned.isCancelled = true;
    };
  }

  die(): void {
    this.isAlive = false;
  }

  /** Does something in this process under a name; nothing comes of it when the process dies. */
  async inPhase<T>(phase: string, work: () => Promise<T>): Promise<T> {
    this.phases.push(phase);
    try {
      return await work();
    } finally {
      const index = this.phases.lastIndexOf(phase);
      if (index >= 0) this.phases.splice(index, 1);
    }
  }
}

function clockOf(process: SimProcess): Clock {
  return {
    now: () => process.now(),
    after: (ms, callback) => process.after(Math.max(0, Math.ceil(ms)), callback),
  };
}

function logOf(process: SimProcess): Log {
  return {
    write: (level, name, fields) => process.world.logged(process, { level, name, fields }),
  };
}

/** Names and fractions that depend on nothing but the order in which they are asked for. */
export function worldRandomness(fraction: (number: number) => number): Randomness {
  let asked = 0;
  return {
    fraction: () => fraction((asked += 1)),
    uuid: () => `00000000-0000-7000-8000-${((asked += 1)).toString(16).padStart(12, "0")}`,
    writeId: () => `w${(asked += 1)}`,
  };
}
