// What each workflow of a chaos run must end with, said anew from what its description promises:
// nothing here asks the engine. The shipped workflows that fetch data have their results beside
// their files.
import type { Json, JsonObject } from "../../src/core/json.ts";
import { casesOf } from "./workflows.ts";

export interface Expected {
  readonly status: "completed" | "failed";
  /** The error's code, of a job that fails. */
  readonly code?: string;
  /** Absent where it depends on who was first. */
  readonly results?: JsonObject;
}

export interface Asked {
  readonly workflow_id: string;
  readonly version: number;
  readonly input_params: JsonObject;
  readonly baseUrl: string;
  /** Attempts of a node that were lost with their process: their numbers are used up. */
  readonly lost: (nodeId: string) => readonly number[];
}

const RULES: Readonly<Record<string, (asked: Asked) => Expected>> = {
  hello_world: ({ input_params: { name = "World" } }) =>
    completed({ greet: { greeting: `Hello, ${textOf(name)}!` } }),
  echo_test: ({ input_params: { message = "hello", steps = 3 } }) =>
    completed({ echo: { message, steps, echoed: true } }),
  diamond,
  routing,
  fan_out: fanOut,
  retry,
  naps,
  ledger,
  error_handling: errorHandling,
};

export function expectedOf(asked: Asked): Expected {
  const rule = RULES[asked.workflow_id];
  return rule === undefined ? shippedCase(asked) : rule(asked);
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function completed(results: JsonObject): Expected {
  return { status: "completed", results };
}

function echoed(message: JsonObject[string], steps = 0): JsonObject {
  return { message, steps, echoed: true };
}

function diamond({ input_params: { word = "holdfast" } }: Asked): Expected {
  const text = textOf(word);
  const count = Array.from(text).length;
  // The language knows the letters of ASCII only.
  const upper = text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
  return completed({
    left: echoed(upper),
    right: echoed(count),
    both: { sentence: `${upper} has ${count} characters` },
  });
}

function routing({ input_params: { amount, kind = "other" } }: Asked): Expected {
  const euros = Number(amount);
  const police = kind === "theft" || kind === "fire";
  const ways =
    euros <= 500
      ? { approve: echoed("paid without a question"), pay: echoed(`${euros} EUR`, 1) }
      : { review: echoed("a person looks at it") };
  return completed({
    ...ways,
    ...(euros >= 10_000 ? { inspect: echoed("an expert drives there") } : {}),
    ...(police
      ? { ask_police: echoed("the police is asked") }
      : { no_police: echoed("no police") }),
    decision: { amount: euros <= 500 ? `${euros} EUR` : "open", police },
  });
}

interface Line {
  readonly article: string;
  readonly quantity: number;
  readonly price_cents: number;
  readonly tags: readonly string[];
}

function fanOut({ input_params }: Asked): Expected {
  const lines = input_params["lines"] as unknown as readonly Line[];
  const results = lines.map(({ article, quantity, price_cents, tags }, index) => ({
    number: index + 1,
    article,
    tags,
    cents: quantity * price_cents,
  }));
  const count = lines.length;
  const tags = lines.flatMap((line) => line.tags);
  return completed({
    count: echoed(count),
    total: { total: results.reduce((sum, { cents }) => sum + cents, 0), count },
    lines: { results, count, failed: [] },
    tags: { results: tags, count: tags.length },
    first_line: { result: lines[0]?.article ?? null, count },
    last_line: { result: lines.at(-1)?.article ?? null, count },
  });
}

/** What `retry.max_attempts` of the workflow is. */
const MOST_FAILURES = 4;

function retry({ input_params: { fail_times = 2 }, lost }: Asked): Expected {
  const waits = { exponential: "1, 2, 4", linear: "1, 2, 3", fixed: "1, 1, 1" };
  const results: Record<string, Json> = {};
  for (const [node, wait] of Object.entries(waits)) {
    const attempt = successOf(Number(fail_times), MOST_FAILURES, lost(node));
    if (attempt === undefined) return { status: "failed", code: "HANDLER_FAILED" };
    results[node] = { message: `waited ${wait}`, attempt };
  }
  return completed(results);
}

/**
 * The attempt of `flaky_echo` that succeeds: it fails by number, so that one that is lost uses up a
 * number that would have failed. Undefined where its failures are used up first.
 */
function successOf(
  failTimes: number,
  mostFailures: number,
  lost: readonly number[],
): number | undefined {
  let failures = 0;
  for (let attempt = 1; ; attempt += 1) {
    if (lost.includes(attempt)) continue;
    if (attempt > failTimes) return attempt;
    failures += 1;
    if (failures === mostFailures) return undefined;
  }
}

/** As shipped; what its flaky task says of its attempt follows from those that were lost. */
function errorHandling(asked: Asked): Expected {
  const expected = shippedCase(asked);
  const attempt = successOf(1, 2, asked.lost("primary"));
  if (expected.results?.["primary"] === undefined || attempt === undefined) return expected;
  const primary = { message: "from the primary", attempt };
  return { ...expected, results: { ...expected.results, primary } };
}

function naps({ input_params: { first = 0, second = 0, items = [] } }: Asked): Expected {
  const results = items as readonly number[];
  return completed({
    nap: { slept_seconds: first },
    second_nap: { slept_seconds: second },
    all: { results, count: results.length, failed: [] },
  });
}

function ledger({ input_params: { word }, version }: Asked): Expected {
  const message = `version ${version}: ${textOf(word)}`;
  return completed({
    first: echoed(message),
    second: { slept_seconds: 0.2 },
    third: echoed(`${message} again ${version}`),
    ...(version % 2 === 1 ? { odd: { steps: 0, echoed: true } } : {}),
  });
}

function shippedCase({ workflow_id, input_params, baseUrl }: Asked): Expected {
  const sent = JSON.stringify(input_params);
  const found = casesOf(workflow_id, baseUrl).find(
    (one) => JSON.stringify(one.input_params) === sent,
  );
  if (found === undefined || found.status === "refused") {
    throw new Error(`${workflow_id}: nothing is said about ${sent}`);
  }
  const { status, error, result_data } = found;
  return {
    status,
    ...(error === undefined ? {} : { code: error.code }),
    ...(result_data === undefined ? {} : { results: result_data }),
  };
}
