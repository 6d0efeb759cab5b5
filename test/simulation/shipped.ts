// The shipped workflows with the cases beside them, as the simulator runs them: with the built-in
// handlers, but for `http_request`, which gives the files of workflows/data without a network.
// A fault may cost attempts, never the result: it must be the one that stands beside the file.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseDefinition } from "../../src/core/parse.ts";
import { digest } from "../../src/core/canonical.ts";
import { isJsonObject, jsonBytes } from "../../src/core/json.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { MAX_INLINE_RESULT_BYTES } from "../../src/core/limits.ts";
import { HandlerRegistry, RetryableError, TerminalError } from "../../src/runtime/handlers.ts";
import type { Handler, HandlerContext } from "../../src/runtime/handlers.ts";
import { sha256 } from "../../src/runtime/hash.ts";
import { builtinHandlers } from "../../src/tasks/builtin.ts";
import { sleepHandler } from "../../src/tasks/sleep.ts";
import { keep, ofDefinition } from "./definitions.ts";
import { isSame } from "./same.ts";
import type { Actor, Case } from "./stage.ts";

const FOLDER = path.join(import.meta.dirname, "..", "..", "workflows");
const BASE_URL = "http://127.0.0.1:1";
/** What stands for the address of the data in cases and results. */
const PLACEHOLDER = "{{base_url}}";
const EXPECTED = ".expected.json";

export interface ShippedCase {
  /** `<file>: <case>`. */
  readonly name: string;
  readonly definition: string;
  readonly input: JsonObject;
  readonly status: string;
  readonly result: JsonObject;
}

/** As it stands in the file; test/unit/workflows checks its form. */
interface WrittenCase {
  readonly case: string;
  readonly status: string;
  readonly input_params: JsonObject;
  readonly result_data?: JsonObject;
}

/** Cases that create a job, file by file. */
export function shippedCases(): readonly ShippedCase[] {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(EXPECTED)).sort();
  return files.flatMap((file) => casesOf(file.slice(0, -EXPECTED.length)));
}

function casesOf(name: string): readonly ShippedCase[] {
  const source = readFileSync(path.join(FOLDER, `${name}.yaml`), "utf8");
  const { known } = new HandlerRegistry(BUILTIN);
  const parsed = parseDefinition(source, { file: `${name}.yaml`, handlers: known });
  if (!parsed.ok) throw new Error(`${name}.yaml: ${JSON.stringify(parsed.issues)}`);
  const definition = `shipped:${name}`;
  keep(definition, ofDefinition(parsed.definition, { source, isScripted: false }));
  const text = readFileSync(path.join(FOLDER, `${name}${EXPECTED}`), "utf8");
  const cases = JSON.parse(text) as readonly WrittenCase[];
  return cases.flatMap(({ case: title, status, input_params, result_data: result = {} }) => {
    if (status === "refused") return [];
    const input = replaced(input_params, PLACEHOLDER, BASE_URL) as JsonObject;
    return { name: `${name}: ${title}`, definition, input, status, result };
  });
}

/** What is wrong with the end of the case's job, if anything. */
export function wrongEnd({ status, result }: ShippedCase, trial: Case): string | undefined {
  if (trial.state.status !== status) return `ended ${trial.state.status} instead of ${status}`;
  const found: Record<string, Json> = {};
  for (const [id, output] of trial.model.results()) found[id] = shown(output);
  for (const [id, output] of Object.entries(result)) {
    if (!isSame(found[id], withoutAttempts(output))) return `${id} is another output`;
  }
  const others = Object.keys(found).length - Object.keys(result).length;
  return others === 0 ? undefined : `${others} outputs too many`;
}

/** In the form of a case. */
function shown(output: Json): Json {
  const isElsewhere = !JSON.stringify(output).includes(BASE_URL);
  return withoutAttempts(short(isElsewhere ? output : replaced(output, BASE_URL, PLACEHOLDER)));
}

function replaced(value: Json, from: string, to: string): Json {
  return JSON.parse(JSON.stringify(value).replaceAll(from, to)) as Json;
}

/** A value too large for result_data stands in a case as its digest and size. */
function short(output: Json): Json {
  const bytes = jsonBytes(output);
  if (bytes <= MAX_INLINE_RESULT_BYTES) return output;
  return { digest: digest(output, sha256), bytes };
}

/** A lost attempt is followed by another number. */
function withoutAttempts(output: Json): Json {
  if (!isJsonObject(output) || typeof output["attempt"] !== "number") return output;
  return { ...output, attempt: 0 };
}

const STILL = { now: () => "2026-01-01T00:00:00.000Z", after: () => () => undefined };
const BUILTIN = builtinHandlers({ http: { allow: [] }, clock: STILL });

export function shippedHandlers(process: Actor): readonly Handler[] {
  const clock = {
    now: () => process.now(),
    after: (ms: number, callback: () => void) => process.after(Math.ceil(ms), callback),
  };
  return BUILTIN.map((handler) => {
    if (handler.name === "sleep") return sleepHandler(clock);
    const isHttp = handler.name === "http_request";
    return { ...handler, run: isHttp ? fetchFile : remembered(handler) };
  });
}

/** Answers of handlers that depend on their params and attempt alone: the runs are many. */
const answers = new Map<string, { readonly output: unknown } | { readonly error: unknown }>();

function remembered(handler: Handler): Handler["run"] {
  return async (context) => {
    const { params, attempt } = context;
    const key = JSON.stringify([handler.name, attempt, params]);
    const known = answers.get(key) ?? (await answerOf(handler, context));
    answers.set(key, known);
    if ("error" in known) throw known.error;
    return known.output;
  };
}

async function answerOf(
  handler: Handler,
  context: HandlerContext<Json>,
): Promise<{ readonly output: unknown } | { readonly error: unknown }> {
  try {
    return { output: await handler.run(context) };
  } catch (error) {
    return { error };
  }
}

const files = new Map<string, Buffer | undefined>();

function fileOf(name: string): Buffer | undefined {
  if (!files.has(name)) {
    try {
      files.set(name, readFileSync(path.join(FOLDER, "data", name)));
    } catch {
      files.set(name, undefined);
    }
  }
  return files.get(name);
}

const fetchFile: Handler["run"] = async ({ params }) => {
  const { url, response } = params as { readonly url: string; readonly response: string };
  const { pathname, origin } = new URL(url);
  if (origin !== BASE_URL) throw new RetryableError(`no network: ${origin}`, "HTTP_FAILED");
  const body = fileOf(pathname.slice(1));
  if (body === undefined) throw new TerminalError("GET 127.0.0.1 answered 404", "HTTP_STATUS");
  const isText = response === "text" || pathname.endsWith(".csv");
  const type = pathname.endsWith(".csv") ? "text/csv; charset=utf-8" : "application/json";
  const text = body.toString("utf8");
  return {
    status: 200,
    headers: { "content-type": type },
    body: isText ? text : (JSON.parse(text) as Json),
    bytes: body.byteLength,
    url,
  };
};
