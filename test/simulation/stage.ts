// How the parts of a simulated world see each other: a process, a call, a job before the judge, and
// the world around them. Types only; world.ts puts the parts together.
import type { Engine } from "../../src/runtime/engine.ts";
import type { Handler } from "../../src/runtime/handlers.ts";
import type { JobState } from "../../src/core/job.ts";
import type { Json } from "../../src/core/json.ts";
import type { Instant } from "../../src/core/instant.ts";
import type { Message } from "../../src/core/message.ts";
import type { ReceivedMessage } from "../../src/memory/memory-queue.ts";
import type {
  JobDocument,
  JournalDocument,
  LogFields,
  Randomness,
} from "../../src/runtime/ports.ts";
import type { Sessions } from "../../src/runtime/sessions.ts";
import type { VersionRegistry } from "../../src/runtime/version-registry.ts";
import type { Catalog } from "./catalog.ts";
import type { Known } from "./definitions.ts";
import type { Dice } from "./dice.ts";
import type { EngineKit } from "./kit.ts";
import type { Losses } from "./losses.ts";
import type { Model } from "./model.ts";
import type { Plan, ProcessPlan, Rates, RequestFault } from "./plan.ts";
import type { SimStore } from "./sim-store.ts";
import type { Timeline } from "./timeline.ts";

/** A process of the world. */
export interface Actor {
  readonly kit: EngineKit;
  /** Counts up over the world's life: a new process in an old one's place has a new number. */
  readonly number: number;
  readonly place: number;
  readonly plan: ProcessPlan;
  readonly engine: Engine;
  readonly sessions: Sessions;
  readonly versions: VersionRegistry;
  readonly isAlive: boolean;
  readonly isPaused: boolean;
  /** Until when nothing of it goes on. */
  pausedUntil: number;
  /** Milliseconds by which its clock is wrong. */
  skew: number;
  /** What its invocations are about, the latest last; names the phase of a request. */
  readonly phases: readonly string[];
  now(): Instant;
  /** Calls back unless the process is dead by then; a pause holds it up. */
  after(ms: number, callback: () => void): () => void;
  /** Does something under the name of a phase. */
  inPhase<T>(phase: string, work: () => Promise<T>): Promise<T>;
}

/** Something that a process is asked to do. */
export interface Call {
  readonly phase: string;
  readonly jobId: string;
  /** Whether its message is acknowledged by somebody else. */
  readonly isKept?: boolean;
}

/** A request to a store or to the queue. */
export interface SimRequest<T> {
  /** The operation and the kind of document. */
  readonly site: string;
  /** Empty where it concerns no single job. */
  readonly jobId: string;
  /** What can happen to it. */
  readonly faults: readonly RequestFault[];
  /** What it does; a read sees the store as it was `lag` writes ago. */
  readonly act: (lag: number) => T;
}

/** One call of a handler. */
export interface Execution {
  readonly number: number;
  readonly jobId: string;
  readonly nodeId: string;
  readonly index: number | undefined;
  readonly attempt: number;
  readonly process: Actor;
  readonly params: Json;
  /** What it answered or threw, once it did. */
  answer?: { readonly output: Json } | { readonly code: string };
}

/** A job before the judge. */
export interface Case {
  readonly world: Stage;
  readonly jobId: string;
  readonly model: Model;
  readonly known: Known;
  /** By execution: what the claim of an attempt must give its handler. */
  readonly params: Map<string, Json | undefined>;
  readonly state: JobState;
  /** The stored projection. */
  readonly projected: JobDocument | undefined;
  readonly acceptedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly isOver: boolean;
  /** A read did not show the last write: then only safety holds, not everything it is for. */
  readonly mayBeMisled: boolean;
  /** The deadline, in the world's own time. */
  readonly deadlineMs: number;
  orphans: number;
  /** The execution of an attempt, if it ever ran. */
  execution(nodeId: string, attempt: number, index?: number): Execution | undefined;
  /** A document that an event names. */
  object(id: string): JournalDocument;
  /** The state that the journal had at an entry. */
  stateAt(seq: number): JobState | undefined;
}

export interface Stage {
  readonly plan: Plan;
  readonly dice: Dice;
  readonly time: Timeline;
  readonly catalog: Catalog;
  readonly store: SimStore;
  readonly randomness: Randomness;
  readonly processes: readonly Actor[];
  readonly isChaos: boolean;
  /** How often each kind of fault took effect. */
  readonly fired: Readonly<Record<string, number>>;
  /** A client asks for the job to be cancelled. */
  cancel: (jobId: string) => void;
  readonly isTraced: boolean;
  readonly rates: Rates;
  readonly post: {
    readonly length: number;
    oldest(): Instant | undefined;
    send(message: Message, delaySeconds: number): void;
    put(text: string, delaySeconds: number): void;
    complete(message: ReceivedMessage): void;
    renew(message: ReceivedMessage): boolean;
    release(message: ReceivedMessage): string | undefined;
  };
  readonly host: {
    take(message: ReceivedMessage): void;
    runs<T>(process: Actor, call: Call, work: () => Promise<T>): Promise<T>;
    givenUp(process: Actor, text: string): void;
    sweep(): void;
  };
  readonly requests: {
    outageUntil: number;
    outageOf: string;
    send<T>(process: Actor, request: SimRequest<T>): Promise<T>;
  };
  readonly handlers: {
    of(process: Actor): readonly Handler[];
    execution(key: string): Execution | undefined;
  };
  readonly judge: {
    readonly accepted: readonly Case[];
    readonly trials: ReadonlyMap<string, Case>;
    readonly losses: Losses;
    readonly cancelled: Map<string, number>;
    readonly staleReads: Map<string, number>;
    ran(execution: Execution): void;
    sent(message: Message, fault: string | undefined): void;
    lostMessage(text: string, why: string): void;
    rejected(what: string, error: unknown): void;
  };
  /** The fault at a place: the listed one, or one that is drawn; undefined for none. */
  decide(place: string, draw: () => string | undefined): string | undefined;
  /** A fault takes effect. */
  fire(place: string, fault: string): void;
  /** Something that the plan lists happens. */
  happened(name: string): void;
  say(line: string): void;
  fail(message: string): void;
  nextProcess(): number;
  kitOf(plan: ProcessPlan): EngineKit;
  /** A process that takes work now. */
  someProcess(number: number): Actor | undefined;
  crash(process: Actor, restartMs?: number): void;
  logged(process: Actor, row: LogRow): void;
}

export interface LogRow {
  readonly level: string;
  readonly name: string;
  readonly fields: LogFields;
}

/** What is worked on, whatever the attempt; also the idempotency key that handlers must get. */
export function workKey(jobId: string, nodeId: string, index: number | undefined): string {
  return index === undefined ? `${jobId}/${nodeId}` : `${jobId}/${nodeId}/${index}`;
}
