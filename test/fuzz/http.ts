// HTTP requests: every route with the bodies, queries, headers and paths that a stranger could
// send. Each answer is a success or a problem with a known code; none is an error of ours. What
// was accepted is there, once, and runs to its end. That an answer is one that the document of the
// API describes, in its status and in every member, is judged where the app is called.
import type { HttpRequest } from "@azure/functions";
import fc from "fast-check";
import { OPERATIONS } from "../../src/api/operations.ts";
import { ERROR_CODES } from "../../src/core/error.ts";
import { MAX_BODY_BYTES } from "../../src/core/limits.ts";
import { ROUTES } from "../../src/functions/routes.ts";
import { HttpApp, requestWith } from "../support/http-app.ts";
import type { Answered } from "../support/http-app.ts";
import type { Cost, Probe, Target } from "./target.ts";
import { promise } from "./target.ts";
import { filled, json, text } from "./texts.ts";

interface Case {
  readonly route: string;
  /** A number stands for a job of this batch. */
  readonly params: Readonly<Record<string, string | number>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const KNOWN = new Set<string>(ERROR_CODES);
const label = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("k1", "k2", "k3") },
  { weight: 1, arbitrary: text },
  { weight: 1, arbitrary: fc.nat({ max: 300 }).map((n) => "x".repeat(n)) },
);

const submission = fc
  .record(
    {
      workflow_id: fc.oneof({ weight: 6, arbitrary: fc.constant("chain") }, label),
      version: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, json as fc.Arbitrary<unknown>),
      input_params: fc.oneof(fc.constant({}), json as fc.Arbitrary<unknown>),
      correlation_id: label,
      submitted_by: label,
      tags: fc.oneof(fc.array(label, { maxLength: 22 }), json as fc.Arbitrary<unknown>),
      idempotency_key: label,
      reason: label,
    },
    { requiredKeys: [] },
  )
  .map((value) => JSON.stringify(value));

const batch = fc
  .array(fc.oneof(submission, json.map((value) => JSON.stringify(value))), { maxLength: 3 })
  .map((jobs) => `{"jobs": [${jobs.join(", ")}]}`);

const body = fc.oneof(
  { weight: 3, arbitrary: batch },
  { weight: 1, arbitrary: fc.constant('{"workflow_id": "chain", "workflow_id": "chain"}') },
  { weight: 8, arbitrary: submission },
  { weight: 3, arbitrary: fc.constant(JSON.stringify({ workflow_id: "chain" })) },
  { weight: 2, arbitrary: json.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 100 }) },
  { weight: 2, arbitrary: fc.constantFrom("", "{", "[[[[", '{"__proto__": {"a": 1}}', "nul") },
  { weight: 1, arbitrary: fc.nat({ max: 5_000 }).map((n) => "[".repeat(n)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(filled("a", MAX_BODY_BYTES + 1), filled("[0],", 60_000)),
  },
);

const ascii = fc.string({ unit: "grapheme-ascii", maxLength: 20 }).map((one) => one.trim());

/** Whatever any operation takes. */
const QUERY_NAMES = [...new Set(OPERATIONS.flatMap((one) => Object.keys(one.query.shape)))];

const query = fc.dictionary(
  fc.oneof(
    fc.constantFrom(...QUERY_NAMES, "code"),
    text,
  ),
  fc.oneof(
    fc.constantFrom("running", "true", "10", "0", "201", "chain", "DESTROY", "-1", "1e3"),
    fc.constantFrom("created_at", "pending,running", "2026-01-01T00:00:00.000Z"),
    text,
  ),
  { maxKeys: 3 },
);

const cases: fc.Arbitrary<Case> = fc.record({
  // Each as often as the others, but the one that makes the jobs that the others are about.
  route: fc.oneof(
    { weight: 1, arbitrary: fc.constant("jobs_submit") },
    { weight: 9, arbitrary: fc.constantFrom(...ROUTES.map(({ name }) => name)) },
  ),
  params: fc.record({
    job_id: fc.oneof(
      { weight: 3, arbitrary: fc.nat({ max: 5 }) },
      { weight: 1, arbitrary: fc.uuid() },
      { weight: 1, arbitrary: text },
    ),
    node_id: fc.oneof(fc.constantFrom("t1", "end"), text),
    workflow_id: fc.oneof(fc.constant("chain"), text),
  }),
  // Most routes take none, and would never be asked for more.
  query: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: query }),
  headers: fc.record(
    {
      "content-type": fc.oneof(
        { weight: 8, arbitrary: fc.constant("application/json") },
        { weight: 1, arbitrary: fc.constantFrom("text/plain", "application/cloudevents+json", "") },
        { weight: 1, arbitrary: ascii },
      ),
      "content-length": fc.constantFrom("0", "-1", "9999999999", "x", "10"),
      "if-none-match": fc.oneof(fc.constantFrom("*", 'W/"0-b88fd22c"', '"3"'), ascii),
      "idempotency-key": fc.oneof(fc.constantFrom("k1", "k2"), ascii),
      "x-ms-client-principal-id": ascii,
      "x-ms-client-principal": ascii,
    },
    { requiredKeys: ["content-type"] },
  ),
  body: fc.option(body, { nil: undefined, freq: 8 }),
});

export async function httpTarget(): Promise<Target> {
  const http = new HttpApp();
  const accepted: string[] = [];
  for (let index = 0; index < 2; index += 1) accepted.push(await http.submit());
  const check = async (one: Case, { tell, timed }: Probe): Promise<Cost> => {
    const request = requestOf(one, accepted);
    const answer = await timed(() => answered(http, one.route, request));
    tell(`${answer.status}`);
    tell(one.route);
    checkAnswer(one, answer);
    accepted.push(...acceptedBy(answer));
    if (accepted.length % 20 === 0) await http.runtime.runToEnd(accepted.at(-1) ?? "");
    return { bytes: answer.text.length };
  };
  return {
    cases,
    check: check as Target["check"],
    bounds: { bytes: MAX_ANSWER_BYTES },
    isStateful: true,
    end: () => consistent(http, accepted),
  };
}

/** No request is held for longer, whatever it asks for. */
const MOST_SECONDS = 31;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The answer; time moves on for one that is held, and what is held for too long is a hang. */
async function answered(http: HttpApp, route: string, request: HttpRequest): Promise<Answered> {
  const state = { isDone: false };
  const answer = http.send(route, request).finally(() => (state.isDone = true));
  // A few turns are enough for whatever is not held.
  for (let turn = 0; turn < 50 && !state.isDone; turn += 1) await nextTurn();
  for (let second = 0; second < MOST_SECONDS && !state.isDone; second += 1) {
    await http.runtime.clock.advance(1_000);
    await nextTurn();
  }
  promise(state.isDone, `${route} gives an answer within ${MOST_SECONDS} s`);
  return answer;
}

/** Answers hold what was asked for and no more than a request's worth of what was sent. */
const MAX_ANSWER_BYTES = 2 * MAX_BODY_BYTES;

function requestOf(one: Case, accepted: readonly string[]): HttpRequest {
  const route = ROUTES.find(({ name }) => name === one.route);
  promise(route !== undefined, `a route ${one.route}`);
  const method = route.methods.includes("POST") ? "POST" : "GET";
  const params = Object.fromEntries(
    Object.entries(one.params).map(([name, value]) => {
      return [name, typeof value === "number" ? (accepted[value % accepted.length] ?? "") : value];
    }),
  );
  return requestWith({
    method,
    url: "https://a.example/api/v1/x",
    params,
    query: { ...one.query },
    headers: { ...one.headers },
    ...(one.body === undefined || method === "GET" ? {} : { body: { string: one.body } }),
  });
}

/** New jobs: the one of a submission, or those of a batch. */
function acceptedBy({ status, body: given }: Answered): readonly string[] {
  const items = (given["items"] ?? []) as readonly {
    readonly status: number;
    readonly job?: { readonly job_id: string };
  }[];
  const batched = items.flatMap((one) =>
    one.status === 202 && one.job !== undefined ? [one.job.job_id] : [],
  );
  const isSubmission = status === 202 && given["seq"] === 0 && "links" in given;
  return isSubmission ? [String(given["job_id"]), ...batched] : batched;
}

function checkAnswer({ route }: Case, { status, headers, body: given }: Answered): void {
  promise(status >= 200 && status < 500, `${route} answers ${status}: ${JSON.stringify(given)}`);
  promise(/^no-(?:store|cache)$/.test(headers["cache-control"] ?? ""), "nothing is cached");
  if (status < 400) return;
  promise(String(headers["content-type"]).startsWith("application/problem+json"), "a problem");
  promise(KNOWN.has(String(given["code"])), `the code ${String(given["code"])}`);
  promise(given["status"] === status, "the problem says its status");
  promise(!JSON.stringify(given).includes("    at "), "no stack in an answer");
}

async function consistent(http: HttpApp, accepted: readonly string[]): Promise<readonly string[]> {
  const problems: string[] = [];
  const { runtime } = http;
  await runtime.run(() => accepted.every((id) => ENDED.has(runtime.status(id))));
  const stored = runtime.store.allJobs().map((job) => job["job_id"]);
  if (new Set(stored).size !== new Set(accepted).size) {
    problems.push(`${new Set(accepted).size} jobs were accepted, ${stored.length} are stored`);
  }
  for (const id of accepted) {
    if (!stored.includes(id)) problems.push(`job ${id} was accepted and is not stored`);
    const status = runtime.status(id);
    if (status === "failed") problems.push(`job ${id} ended as ${status}`);
  }
  problems.push(...runtime.errors.map((error) => `a message was refused: ${String(error)}`));
  return problems;
}

const ENDED: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);
