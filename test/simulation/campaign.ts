// The campaigns of the simulator, as the prover runs them in child processes: input and result are
// JSON, nothing is printed, and vitest is not imported.

/** Which faults and rescuers a schedule has. */
export type Mode = "all" | "no_rescue" | "fault_free";

export interface Violation {
  /** What to replay: a seed, or the name of a case. */
  readonly case: string;
  readonly mode: Mode;
  readonly message: string;
}

export interface CampaignResult {
  readonly runs: number;
  /** Requests to stores and queue, all runs together. */
  readonly requests: number;
  /** Faults that fired, by name. */
  readonly fired: Readonly<Record<string, number>>;
  /** Named I/O sites that were reached, and how often. */
  readonly sites: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
  readonly notes: readonly string[];
}

export interface CrashPointsInput {
  readonly workflows?: readonly string[];
  readonly part?: number;
  readonly parts?: number;
}

export interface FaultPairsInput {
  readonly part: number;
  readonly parts: number;
  /** Pairs to draw in all parts together; all pairs where it is absent. */
  readonly sample?: number;
  readonly seed?: number;
}

export interface SchedulesInput {
  readonly from: number;
  readonly count: number;
  readonly mode: Mode;
  readonly stopAtFirst?: boolean;
}

export const NOTHING: CampaignResult = {
  runs: 0,
  requests: 0,
  fired: {},
  sites: {},
  violations: [],
  notes: [],
};

export async function crashPoints(_input: CrashPointsInput): Promise<CampaignResult> {
  return { ...NOTHING, notes: ["nothing is simulated yet"] };
}

export async function faultPairs(_input: FaultPairsInput): Promise<CampaignResult> {
  return { ...NOTHING, notes: ["nothing is simulated yet"] };
}

export async function schedules(_input: SchedulesInput): Promise<CampaignResult> {
  return { ...NOTHING, notes: ["nothing is simulated yet"] };
}
