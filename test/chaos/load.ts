// The jobs that a chaos run submits: a seeded mix of workflows and inputs, each with a key of its
// own. A few are cancelled.
import type { JsonObject } from "../../src/core/json.ts";
import type { Seeded } from "./seeded.ts";
import { casesOf } from "./workflows.ts";

export interface Planned {
  readonly key: string;
  readonly workflow_id: string;
  readonly input_params: JsonObject;
  /** After the answer, that long; absent: not cancelled. */
  readonly cancelAfterMs?: number;
}

type Made = Omit<Planned, "key">;
type Maker = (random: Seeded) => Made;

const WORDS = ["anchor", "brücke", "cordage", "dün🌊e", "eddy", "fathom", "gunwale", "hawser"];
const CANCELLED_SHARE = 0.15;

const MIX: readonly (readonly [number, Maker])[] = [
  [12, (random) => ({ workflow_id: "hello_world", input_params: { name: word(random) } })],
  [12, (random) => echo(random)],
  [16, (random) => ({ workflow_id: "ledger", input_params: { word: word(random) } })],
  [12, (random) => ({ workflow_id: "diamond", input_params: { word: word(random) } })],
  [12, routing],
  [8, fanOut],
  [6, retry],
  [14, naps],
];

/** `baseUrl`: where the data of the workflows that fetch is. */
export function planLoad(jobs: number, random: Seeded, baseUrl: string): readonly Planned[] {
  const mix = [
    ...MIX,
    [3, shipped("error_handling", baseUrl)],
    [2, shipped("vars_and_inputs", baseUrl)],
    [2, shipped("order_import", baseUrl)],
    [1, shipped("document_pipeline", baseUrl)],
  ] as const;
  const makers = mix.flatMap(([weight, make]) => Array.from({ length: weight }, () => make));
  return Array.from({ length: jobs }, (_, n) => ({
    key: `job-${String(n)}-${String(random.between(0, 1_000_000))}`,
    ...random.pick(makers)(random),
  }));
}

function word(random: Seeded): string {
  return `${random.pick(WORDS)} ${random.between(0, 9999)}`;
}

function echo(random: Seeded): Made {
  const input_params = { message: word(random), steps: random.between(0, 20) };
  return { workflow_id: "echo_test", input_params };
}

function routing(random: Seeded): Made {
  const amount = random.pick([0, 499.5, 500, 500.01, 9999, 10_000, random.between(1, 20_000)]);
  const kind = random.pick(["theft", "fire", "water", "other"]);
  return { workflow_id: "routing", input_params: { amount, kind } };
}

function fanOut(random: Seeded): Made {
  const lines = Array.from({ length: random.pick([0, 1, 3, 8, 20, 80, 200]) }, (_, n) => ({
    article: `${random.pick(WORDS)} ${n}`,
    quantity: random.between(1, 20),
    price_cents: random.between(1, 9999),
    tags: random.chance(0.3) ? [random.pick(WORDS)] : [],
  }));
  return { workflow_id: "fan_out", input_params: { lines } };
}

function retry(random: Seeded): Made {
  return { workflow_id: "retry", input_params: { fail_times: random.pick([0, 1, 1, 2, 4]) } };
}

function naps(random: Seeded): Made {
  const seconds = (): number => random.between(2, 25) / 10;
  const items = Array.from({ length: random.between(0, 12) }, () => random.between(0, 15) / 10);
  const cancel = random.chance(CANCELLED_SHARE);
  return {
    workflow_id: "naps",
    input_params: { first: seconds(), second: seconds(), items },
    ...(cancel ? { cancelAfterMs: random.between(0, 4000) } : {}),
  };
}

function shipped(workflowId: string, baseUrl: string): Maker {
  const cases = casesOf(workflowId, baseUrl).filter(({ status }) => status !== "refused");
  return (random) => ({
    workflow_id: workflowId,
    input_params: random.pick(cases).input_params,
  });
}
