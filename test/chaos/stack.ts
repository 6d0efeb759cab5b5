// The real stack under fire: the stores in a process of their own, a spoiling proxy before each of
// them, and worker processes (the built bundle on the embedded host) that are killed and started
// again. All decisions are seeded; what they meet is real time.
import type { StoreSettings } from "../../src/local/emulators.ts";
import type { AppLine } from "../support/app-fixture.ts";
import { processFixture } from "../support/app-process.ts";
import type { AppProcess, ProcessFixture } from "../support/app-process.ts";
import { waitFor } from "../support/wait-until.ts";
import { FAULT_KINDS, startChaosProxy } from "./chaos-proxy.ts";
import type { ChaosProxy, FaultKind } from "./chaos-proxy.ts";
import { pause, wallMs } from "./pace.ts";
import { seeded } from "./seeded.ts";
import type { Seeded } from "./seeded.ts";
import { NAPS, shippedFiles } from "./workflows.ts";

/** The times of a run, in the proportion of production: lease and sweep alike, renewal at 2/3. */
export interface Pace {
  readonly sweepSeconds: number;
  /** How long the queue hides a message from the others, ten sweep periods in production. */
  readonly hiddenSeconds: number;
}

export function renewSeconds({ sweepSeconds }: Pace): number {
  return (sweepSeconds * 2) / 3;
}

export interface Kill {
  readonly at_ms: number;
  readonly signal: "SIGKILL" | "SIGTERM";
  /** What the process had logged. */
  readonly lines: readonly AppLine[];
}

export interface ChaosHome {
  readonly fixture: ProcessFixture;
  readonly cosmos: ChaosProxy;
  readonly queues: ChaosProxy;
  stop(): Promise<void>;
}

export interface StackOptions {
  readonly home: ChaosHome;
  readonly database: string;
  readonly processes: number;
  readonly pace: Pace;
  readonly random: Seeded;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Stack {
  readonly kills: readonly Kill[];
  /** A process that is up at this moment, if any. */
  anyone(): AppProcess | undefined;
  all(): readonly AppProcess[];
  /** Kills one process now, and starts another in its place. */
  kill(signal: Kill["signal"]): Promise<void>;
  /**
   * Kills one process every 1 to 5 seconds, now and then gracefully, until told to stop. All are
   * spared until the last victim has been replaced.
   */
  fire(): { stop(): Promise<void> };
  stop(): Promise<void>;
}

const GRACEFUL_SHARE = 0.12;

export async function chaosHome(seed: number): Promise<ChaosHome> {
  const fixture = await processFixture({ ...shippedFiles(), "naps.yaml": NAPS });
  const { COSMOS_ENDPOINT } = fixture.stores;
  const random = seeded(seed);
  const cosmos = await startChaosProxy(COSMOS_ENDPOINT, random.fork("cosmos"));
  const queues = await startChaosProxy(queueUrl(fixture.stores), random.fork("queues"));
  return {
    fixture,
    cosmos,
    queues,
    async stop() {
      fixture.stop();
      await Promise.all([cosmos.stop(), queues.stop()]);
    },
  };
}

function queueUrl({ AzureWebJobsStorage }: StoreSettings): string {
  return /QueueEndpoint=([^;]+)/.exec(AzureWebJobsStorage)?.[1] ?? "";
}

/** The settings of the workers: the stores behind the proxies, short times. */
export function workerEnv(options: StackOptions): Readonly<Record<string, string>> {
  const { home, database, pace, env = {} } = options;
  const { AzureWebJobsStorage } = home.fixture.stores;
  const { sweepSeconds } = pace;
  const hidden = new URL(queueUrl(home.fixture.stores));
  return {
    COSMOS_ENDPOINT: home.cosmos.url,
    AzureWebJobsStorage: AzureWebJobsStorage.replace(hidden.host, new URL(home.queues.url).host),
    HOLDFAST_DATABASE: database,
    HOLDFAST_ALLOW_REDEFINE: "false",
    HOLDFAST_LEASE_SECONDS: String(sweepSeconds),
    HOLDFAST_RENEW_SECONDS: renewSeconds(pace).toFixed(1),
    HOLDFAST_RESEND_SECONDS: String(sweepSeconds),
    HOLDFAST_REFRESH_SECONDS: "0.5",
    HOLDFAST_SWEEP_SCHEDULE: `*/${sweepSeconds} * * * * *`,
    HOLDFAST_LOCAL_LEASE_SECONDS: String(pace.hiddenSeconds),
    HOLDFAST_LOCAL_POLL_MS: "150",
    HOLDFAST_LOCAL_RELEASE_SECONDS: "1",
    ...env,
  };
}

export async function startStack(options: StackOptions): Promise<Stack> {
  const stack = new Workers(options);
  await stack.begin();
  return stack;
}

class Workers implements Stack {
  readonly kills: Kill[] = [];
  readonly #options: StackOptions;
  readonly #up = new Set<AppProcess>();
  readonly #starting = new Set<Promise<void>>();
  readonly #random: Seeded;
  #ending = false;

  constructor(options: StackOptions) {
    this.#options = options;
    this.#random = options.random.fork("kills");
  }

  async begin(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.processes }, () => this.#start()));
    // Settings that are refused would make every request fail, and nothing would be shown.
    const isReady = async (): Promise<boolean> => {
      const answer = await this.anyone()?.get("/health/ready");
      if (answer?.text.includes("settings") === true) throw new Error(answer.text);
      return answer?.status === 200;
    };
    await waitFor(isReady, { what: "the first process is ready", timeoutMs: 30_000 });
  }

  anyone(): AppProcess | undefined {
    const up = [...this.#up];
    return up.length === 0 ? undefined : this.#random.pick(up);
  }

  all(): readonly AppProcess[] {
    return [...this.#up];
  }

  async kill(signal: Kill["signal"]): Promise<void> {
    const victim = this.anyone();
    if (victim === undefined) return;
    this.#up.delete(victim);
    // What comes through the pipe after the blow was written before it, and is kept too.
    this.kills.push({ at_ms: wallMs(), signal, lines: victim.lines });
    if (signal === "SIGKILL") await victim.kill();
    else await victim.terminate();
    if (!this.#ending) void this.#start();
  }

  fire(): { stop(): Promise<void> } {
    const ended = new AbortController();
    const loop = async (): Promise<void> => {
      for (;;) {
        await pause(this.#random.between(1000, 5000), ended.signal);
        if (ended.signal.aborted) return;
        // Where a start takes longer than the pause, kills would leave nobody alive long enough
        // to do anything at all: a victim is replaced before the next one falls.
        if (this.#up.size < this.#options.processes) continue;
        const isGraceful = this.#random.chance(GRACEFUL_SHARE);
        await this.kill(isGraceful ? "SIGTERM" : "SIGKILL");
      }
    };
    const running = loop();
    return {
      stop: async () => {
        ended.abort();
        await running;
      },
    };
  }

  async stop(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#starting);
    await Promise.all([...this.#up].map((one) => one.kill()));
    this.#up.clear();
  }

  #start(): Promise<void> {
    const { home } = this.#options;
    const work: Promise<void> = home.fixture.start(workerEnv(this.#options)).then((one) => {
      this.#up.add(one);
      this.#starting.delete(work);
    });
    this.#starting.add(work);
    return work;
  }
}

/** Faults that fired, by kind, at each of the stores. */
export interface FiredFaults {
  readonly kind: FaultKind;
  readonly cosmos: number;
  readonly queues: number;
}

export function firedFaults({ cosmos, queues }: ChaosHome): readonly FiredFaults[] {
  return FAULT_KINDS.map((kind) => ({
    kind,
    cosmos: cosmos.fired.get(kind) ?? 0,
    queues: queues.fired.get(kind) ?? 0,
  }));
}

export function totalFired(home: ChaosHome): number {
  return firedFaults(home).reduce((sum, { cosmos, queues }) => sum + cosmos + queues, 0);
}
