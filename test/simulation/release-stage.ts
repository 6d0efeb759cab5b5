// How a recorded job is played: what a scenario is, facts about a job under way, and the ways in
// which the process that works on it dies.
import type { JsonObject } from "../../src/core/json.ts";
import type { Fault, Request } from "../support/faults.ts";
import type { ReleaseProcess, ReleaseWorld } from "./release-world.ts";

export interface Stage {
  readonly world: ReleaseWorld;
  readonly process: ReleaseProcess;
  readonly jobId: string;
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly shape: unknown;
  readonly inputs?: JsonObject;
  /** Settings that override `vars`. */
  readonly vars?: Readonly<Record<string, string>>;
  readonly key?: string;
  /** Handlers that the recorded process lacks. */
  readonly without?: readonly string[];
  /** What becomes of requests while the job is being submitted. */
  readonly submitting?: (request: Request) => Fault | undefined;
  readonly play: (stage: Stage) => Promise<void>;
}

type Event = { readonly type: string } & JsonObject;

export function events({ world, jobId }: Stage): readonly Event[] {
  return world.entries(jobId).flatMap((entry) => entry["events"] as unknown as readonly Event[]);
}

/** How many events of a type there are, of a node where one is named. */
function count(stage: Stage, type: string, node?: string): number {
  return events(stage).filter(
    (event) => event.type === type && (node === undefined || event["node_id"] === node),
  ).length;
}

type Fact = (stage: Stage) => boolean;

export const has =
  (type: string, node?: string, least = 1): Fact =>
  (stage) =>
    count(stage, type, node) >= least;

/** The process dies with its first request after `fact` holds. */
export const dieOnce =
  (fact: Fact) =>
  async (stage: Stage): Promise<void> => {
    const { world } = stage;
    world.gate.rule = () => (fact(stage) ? "dies_before" : undefined);
    await world.run(() => world.alive.length === 0);
  };

/** Time goes on until `fact` holds and then for so many seconds; then the process dies. */
export const dieAfter =
  (fact: Fact, seconds: number) =>
  async (stage: Stage): Promise<void> => {
    await stage.world.run(() => fact(stage));
    await stage.world.clock.advance(seconds * 1000);
    stage.process.die();
  };

/** The process is dead; time goes on without anybody. */
export async function silence({ world }: Stage, seconds: number): Promise<void> {
  await world.clock.advance(seconds * 1000);
}

export const end = async (stage: Stage): Promise<void> => {
  await stage.world.run(() => stage.world.hasEnded(stage.jobId));
  // The queue's last message is acknowledged after the projection.
  await stage.world.clock.advance(0);
  stage.process.die();
};

export const nothing = async ({ process }: Stage): Promise<void> => process.die();

export async function cancel({ process, jobId }: Stage): Promise<void> {
  const { kit, sessions, engine } = process;
  const request = { job_id: jobId, requested_by: "ada", reason: "no longer wanted" };
  await kit.cancelJob(sessions, engine, request);
}
