// Old and new processes at work on the same jobs, as during a deploy: each message, sweep and
// report goes to a process of either build by chance, processes die and others take over, requests
// fail, and the live definition is replaced or removed at any request. Every job ends as its own
// definition says; its history holds for both builds, and its provenance names its pin.
import fc from "fast-check";
import { isTerminalJob, nodeState } from "../../src/core/job.ts";
import type { JobState } from "../../src/core/job.ts";
import type { JournalEntry } from "../../src/core/event.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Fault, Request } from "../support/faults.ts";
import { must } from "../support/invariants.ts";
import { build, interpret, randomNodes } from "../support/random-workflow.ts";
import type { RandomNode } from "../support/random-workflow.ts";
import { Dice, Draws, STREAM } from "./dice.ts";
import { TODAYS_KIT } from "./release-load.ts";
import type { ReleaseKit } from "./release-load.ts";
import { ReleaseWorld } from "./release-world.ts";
import type { ReleaseProcess } from "./release-world.ts";
import { bytesOf, checkReadBy, checkWorld, mustEqual } from "./upgrade.ts";

export interface MixedResult {
  readonly requests: number;
  /** Faults by name. */
  readonly fired: Readonly<Record<string, number>>;
  readonly republished: number;
  /** Messages that went to another build than the one before, of the same job. */
  readonly handOvers: number;
  /** Entries by the build that wrote them. */
  readonly entries: Readonly<Record<string, number>>;
  /** Jobs that ended with WORKER_LOST because a release does not hold on to its claims. */
  readonly lostClaims: number;
}

const WORKFLOW = "mixed";
/** Lists by their length; from nine items on, chunks hold more than one. */
const ITEMS = Array.from({ length: 13 }, (_, n) => Array.from({ length: n }, (_item, i) => i));
/** Fewer than an attempt may be lost, so that no node fails for want of processes. */
const MAX_DEATHS = 2;
/** After so many requests nothing fails any more. */
const CHAOS_REQUESTS = 250;
const FAULT_RATES = [0, 0, 0.02, 0.08] as const;

/** One script for all attempts: how a node ends must not depend on how many were lost. */
function steady(random: readonly RandomNode[]): readonly RandomNode[] {
  return random.slice(0, 9).map((node) => {
    const [first = "ok"] = node.scripts;
    const script = first === "timeout" ? "fail" : first;
    const items = node.items % ITEMS.length;
    return { ...node, items, scripts: [script, script, script, script] };
  });
}

const HANDLERS = {
  task: { ok: "stamp", fail: "busy", final: "fail" },
  fan_out: { ok: "stamp", fail: "fifth_is_busy", final: "fifth_fails" },
} as const;

/** The definition as a file would have it; what its tasks answer tells the version. */
function shapeOf(random: readonly RandomNode[], version: number): JsonObject {
  const { nodes, scripts } = build(random);
  const params = { version };
  for (const [id, node] of Object.entries(nodes)) {
    const script = (scripts.get(id)?.scripts[0] ?? "ok") as "ok" | "fail" | "final";
    if (node["type"] === "task") Object.assign(node, { handler: HANDLERS.task[script], params });
    if (node["type"] === "fan_out") node["task"] = { handler: HANDLERS.fan_out[script], params };
  }
  const inputs = { items: { type: "array", default: ITEMS } };
  return { workflow_id: WORKFLOW, version, nodes, inputs } as unknown as JsonObject;
}

interface Accepted {
  readonly jobId: string;
  readonly version: number;
  /** Entry 0 as it stood when the job was accepted. */
  readonly pinned: string;
}

export class MixedSchedule {
  readonly world: ReleaseWorld;
  readonly #random: readonly RandomNode[];
  readonly #kits: readonly ReleaseKit[];
  readonly #draws: Draws;
  readonly #rate: number;
  readonly #fired: Record<string, number> = {};
  readonly #lastBuild = new Map<string, string>();
  #handOvers = 0;
  #version = 1;
  #republished = 0;
  #deaths = 0;
  #lostClaims = 0;

  constructor(seed: number, kits: readonly ReleaseKit[]) {
    const [nodes = []] = fc.sample(randomNodes, { seed, numRuns: 1 });
    this.#random = steady(nodes);
    this.#kits = kits;
    this.#draws = new Draws(new Dice(seed), STREAM.plan);
    this.#rate = this.#draws.pick(FAULT_RATES);
    this.world = new ReleaseWorld({ seed: `mixed ${seed}`, pick: (alive) => this.#pick(alive) });
    const { gate, definitions } = this.world;
    gate.rule = (request) => this.#becomes(request);
    gate.latencyMs = () => (this.#draws.chance(0.5) ? this.#draws.between(1, 400) : 0);
    definitions.set(WORKFLOW, shapeOf(this.#random, 1));
  }

  async run(): Promise<MixedResult> {
    for (const kit of this.#kits) this.world.add(kit);
    if (this.#draws.chance(0.5)) this.world.add(this.#draws.pick(this.#kits));
    const first = await this.#accepted("first");
    this.#republish();
    const second = await this.#accepted("second");
    const jobs = [first, second];
    const isOver = (): boolean => jobs.every(({ jobId }) => this.world.hasEnded(jobId));
    await this.world.run(isOver, 12 * 3600);
    // Whoever is still at work on an ended job leaves it.
    this.world.gate.rule = () => undefined;
    await this.world.clock.advance(600_000);
    const entries: Record<string, number> = {};
    for (const job of jobs) this.#check(job, entries);
    return {
      requests: this.world.gate.requests.length,
      fired: this.#fired,
      republished: this.#republished,
      handOvers: this.#handOvers,
      entries,
      lostClaims: this.#lostClaims,
    };
  }

  #pick(alive: readonly ReleaseProcess[]): ReleaseProcess | undefined {
    if (alive.length === 0) return this.world.add(this.#draws.pick(this.#kits));
    const process = this.#draws.pick(alive);
    const { name } = process.kit;
    if (this.#lastBuild.get(WORKFLOW) !== name) this.#handOvers += 1;
    this.#lastBuild.set(WORKFLOW, name);
    return process;
  }

  /** Submits, with a key, until it is accepted: the client asks again. */
  async #accepted(key: string): Promise<Accepted> {
    for (let asked = 0; asked < 50; asked += 1) {
      const process = this.world.pick();
      if (process === undefined) continue;
      const submission = this.world.submit(process, { workflow_id: WORKFLOW }, { key }).then(
        ({ job }) => job,
        () => undefined,
      );
      const job = await this.#within(Promise.race([submission, process.death]));
      if (job === undefined) {
        // The file may have been removed meanwhile; a person puts it back.
        this.world.definitions.set(WORKFLOW, shapeOf(this.#random, this.#version));
        continue;
      }
      const [entry] = this.world.entries(job.job_id);
      must(entry !== undefined, "an accepted job has its first entry");
      return { jobId: job.job_id, version: job.workflow_version, pinned: bytesOf(entry) };
    }
    throw new Error("nothing was accepted");
  }

  /** Lets time pass until the answer is there. */
  async #within<T>(answer: Promise<T>): Promise<T> {
    let isThere = false;
    void answer.finally(() => (isThere = true)).catch(() => undefined);
    for (let step = 0; step < 10_000 && !isThere; step += 1) await this.world.clock.advance(50);
    return answer;
  }

  #republish(): void {
    this.#republished += 1;
    const { definitions } = this.world;
    if (this.#draws.chance(0.2)) {
      definitions.delete(WORKFLOW);
      return;
    }
    this.#version += 1;
    definitions.set(WORKFLOW, shapeOf(this.#random, this.#version));
  }

  #becomes(request: Request): Fault | undefined {
    if (this.#draws.chance(0.05)) this.#republish();
    if (request.number > CHAOS_REQUESTS || !this.#draws.chance(this.#rate)) return undefined;
    const fault = this.#faultFor(request);
    if (fault !== undefined) this.#fired[fault] = (this.#fired[fault] ?? 0) + 1;
    return fault;
  }

  #faultFor({ operation }: Request): Fault | undefined {
    const isRead = operation.endsWith(".read");
    const faults: readonly Fault[] = isRead
      ? ["refused", "throttled", "unseen", "dies_before", "dies_after"]
      : ["refused", "throttled", "unanswered", "dies_before", "dies_after"];
    const fault = this.#draws.pick(faults);
    if (!fault.startsWith("dies")) return fault;
    if (this.#deaths === MAX_DEATHS) return undefined;
    this.#deaths += 1;
    // What died is replaced, by either build.
    this.world.add(this.#draws.pick(this.#kits));
    return fault;
  }

  #check({ jobId, version, pinned }: Accepted, written: Record<string, number>): void {
    const history = checkWorld(TODAYS_KIT, this.world, jobId);
    const { states, entries } = history;
    const [created, last] = [states[0], states.at(-1)];
    must(created !== undefined && last !== undefined && isTerminalJob(last), "the job ended");
    must(last.workflow_version === version, "I1: the job keeps its version");
    mustEqual(this.world.entries(jobId)[0], JSON.parse(pinned), "I1: entry 0 stands");
    if (this.#hasLostClaims(last)) this.#lostClaims += 1;
    else this.#checkEnd(last, entries);
    for (const entry of entries) checkOutputs(entry, version);
    for (const kit of this.#kits) {
      if (kit !== TODAYS_KIT) checkReadBy(kit, this.world.entries(jobId), history);
    }
    for (const { build: by } of TODAYS_KIT.withBuilds(entries)) {
      written[by] = (written[by] ?? 0) + 1;
    }
  }

  /**
   * Release 0.1.0 drops a chunk that it has just claimed when the answer to the claim, or the read
   * after it, fails; three lost attempts end the job. Faults of today's processes alone must not.
   */
  #hasLostClaims({ job_id, error, nodes }: JobState): boolean {
    if (error?.node_id === undefined || !error.message.includes("WORKER_LOST")) return false;
    const claims = `claim:${error.node_id}:`;
    const { journal } = this.world.contents(job_id);
    const byRelease = journal.filter(
      ({ id, build: by }) => id.startsWith(claims) && by !== `holdfast@${TODAYS_KIT.name}+test`,
    );
    return nodes[error.node_id]?.fan !== undefined && byRelease.length > 0;
  }

  #checkEnd(job: JobState, entries: readonly JournalEntry[]): void {
    const expected = interpret(this.#random);
    const error = entries.at(-1)?.events.find(({ type }) => type === "job_failed");
    const shown = `${job.status} ${JSON.stringify(error ?? {})}`;
    const status = expected === undefined ? "failed" : "completed";
    must(job.status === status, `it ends ${status}: ${shown}`);
    for (const [id, end] of expected ?? []) {
      const found = nodeState(job, id).status;
      must(found === end, `${id} ends ${end}, not ${found}`);
    }
  }
}

/** Each output was made by the attempt that is recorded, from params of the pinned version. */
function checkOutputs({ events }: JournalEntry, pinned: number): void {
  for (const event of events) {
    if (event.type === "node_completed" && event.attempt !== undefined) {
      const { version, attempt } = event.output as { version: number; attempt: number };
      must(version === pinned, `I1: ${event.node_id} ran version ${version}, not ${pinned}`);
      must(attempt === event.attempt, `${event.node_id}: the output of another attempt`);
    }
    if (event.type !== "chunk_completed") continue;
    for (const item of event.items ?? []) {
      if (!("output" in item)) continue;
      const { version } = item.output as { version: number };
      must(version === pinned, `I1: an item ran version ${version}, not ${pinned}`);
    }
  }
}
