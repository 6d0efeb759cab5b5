// Adds up runs: how many, which faults fired, which sites were reached, what was violated.
import type { Mode } from "./plan.ts";
import type { RunResult } from "./schedule.ts";

export interface Violation {
  /** What to replay: a seed, or the name of a case. */
  readonly case: string;
  readonly mode: Mode;
  readonly message: string;
}

export interface CampaignResult {
  readonly runs: number;
  readonly jobs: number;
  /** Requests to stores and queue, all runs together. */
  readonly requests: number;
  /** Faults that fired, by name. */
  readonly fired: Readonly<Record<string, number>>;
  /** Named I/O sites that were reached, and how often. */
  readonly sites: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
  readonly notes: readonly string[];
}

export class Tally {
  /** Violations that were shrunk so far. */
  shrunk = 0;
  #runs = 0;
  #jobs = 0;
  #requests = 0;
  readonly #fired: Record<string, number> = {};
  readonly #sites: Record<string, number> = {};
  readonly #stuck: Record<string, number> = {};
  readonly #violations: Violation[] = [];
  readonly #notes: string[] = [];

  add(name: string, mode: Mode, result: RunResult): void {
    this.#runs += 1;
    this.#jobs += result.jobs;
    this.#requests += result.requests;
    addUp(this.#fired, result.fired);
    addUp(this.#sites, result.sites);
    for (const reason of result.stuck) addUp(this.#stuck, { [reason]: 1 });
    if (result.violation !== undefined) this.violated(name, mode, result.violation);
  }

  violated(name: string, mode: Mode, message: string): void {
    this.#violations.push({ case: name, mode, message });
  }

  get isViolated(): boolean {
    return this.#violations.length > 0;
  }

  note(line: string): void {
    this.#notes.push(line);
  }

  result(): CampaignResult {
    const stuck = Object.entries(this.#stuck).map(([reason, count]) => `${reason}: ${count}`);
    const still = stuck.length === 0 ? [] : [`stood still, as listed: ${stuck.join("; ")}`];
    return {
      runs: this.#runs,
      jobs: this.#jobs,
      requests: this.#requests,
      fired: this.#fired,
      sites: this.#sites,
      violations: this.#violations,
      notes: [...this.#notes, ...still],
    };
  }
}

/** Results of parts of one campaign as one. */
export function together(results: readonly CampaignResult[]): CampaignResult {
  const fired: Record<string, number> = {};
  const sites: Record<string, number> = {};
  for (const result of results) {
    addUp(fired, result.fired);
    addUp(sites, result.sites);
  }
  const sum = (of: (result: CampaignResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  return {
    runs: sum(({ runs }) => runs),
    jobs: sum(({ jobs }) => jobs),
    requests: sum(({ requests }) => requests),
    fired,
    sites,
    violations: results.flatMap(({ violations }) => violations),
    notes: results.flatMap(({ notes }) => notes),
  };
}

function addUp(into: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) into[name] = (into[name] ?? 0) + count;
}
