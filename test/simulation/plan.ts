// A schedule as data: what there is, what happens when, and which faults fire where. The same plan
// gives the same run, byte for byte. Faults are drawn from the seed while a run goes on, or, where
// they are listed, exactly those fire: that is how a run is replayed, shrunk and kept.

/** Which faults and rescuers a schedule has. */
export type Mode = "all" | "no_rescue" | "fault_free";

/** What becomes of one request to a store or to the queue. */
export const REQUEST_FAULTS = [
  /** Nothing happened, and the caller is told that the store is not there. */
  "refused",
  "throttled",
  /** It happened, and the caller is told that it did not. */
  "ambiguous",
  /** The caller is told that it did not happen; it happens some seconds later. */
  "late",
  /** The process dies before the request is sent, or when it has taken effect. */
  "crash_before",
  "crash_after",
  /** It happened, and the process stands still before it hears; the argument says how long. */
  "frozen",
  /** Another writer comes in between. */
  "conflict",
  /** Somebody cancels the job first; the argument says how many milliseconds. */
  "cancelled",
  /** A read shows the store as it was some writes ago; the argument says how many. */
  "stale",
] as const;
export type RequestFault = (typeof REQUEST_FAULTS)[number];

/** What becomes of a message on its way, of its delivery, of a handler's call, of a sweep. */
export const OTHER_FAULTS = [
  "dropped",
  "duplicated",
  "delayed",
  "poisoned",
  "lost",
  "twice",
  "undeleted",
  "slow",
  "hangs",
  "freezes",
  "kills",
  "late_sweep",
  "no_sweep",
  "doubled_sweep",
] as const;

/**
 * Place → fault, with its argument: `io:17` → `stale:3`. Places are counted over the whole run:
 * `io` requests, `send` messages, `take` deliveries, `run` handler calls, `sweep` turns.
 */
export type Faults = Readonly<Record<string, string>>;

/** Shares of the places of each kind at which a fault fires. */
export interface Rates {
  readonly io: number;
  readonly message: number;
  readonly handler: number;
  readonly sweep: number;
}

export interface ProcessPlan {
  readonly build: string;
  /** Milliseconds by which its clock is wrong. */
  readonly skew: number;
  /** Handlers that this build lacks. */
  readonly lacks: readonly string[];
  /** Which of the world's kits it runs. */
  readonly kit: number;
}

export interface JobPlan {
  /** Names a definition; see definitions.ts. */
  readonly definition: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly at: number;
  readonly key?: string;
  /** How many clients send the same submission side by side; more than one with a key only. */
  readonly clients: number;
}

/** What happens at a time, whatever else is going on. Numbers name processes or jobs by place. */
export type Happening =
  | { readonly at: number; readonly type: "crash"; readonly process: number; readonly ms: number }
  | { readonly at: number; readonly type: "pause"; readonly process: number; readonly ms: number }
  | { readonly at: number; readonly type: "jump"; readonly process: number; readonly ms: number }
  | { readonly at: number; readonly type: "cancel"; readonly job: number }
  | { readonly at: number; readonly type: "read"; readonly job: number }
  | { readonly at: number; readonly type: "sweep" }
  | { readonly at: number; readonly type: "forge"; readonly job: number; readonly kind: number }
  | { readonly at: number; readonly type: "outage"; readonly ms: number; readonly what: string }
  | { readonly at: number; readonly type: "publish"; readonly job: number; readonly how: string };

export interface Plan {
  readonly seed: number;
  readonly mode: Mode;
  readonly processes: readonly ProcessPlan[];
  readonly jobs: readonly JobPlan[];
  readonly happenings: readonly Happening[];
  /** When faults stop. */
  readonly calm_at: number;
  /** Whether requests and messages take random times; otherwise each takes 1 ms. */
  readonly noise: boolean;
  readonly rates: Rates;
  /** Instead of drawing at `rates`. */
  readonly faults?: Faults;
}

export const NO_RATES: Rates = { io: 0, message: 0, handler: 0, sweep: 0 };

export function areClocksRight({ processes, happenings }: Plan): boolean {
  const hasJumped = happenings.some(({ type }) => type === "jump");
  return !hasJumped && processes.every(({ skew }) => skew === 0);
}
