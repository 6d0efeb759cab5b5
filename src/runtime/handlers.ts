// Handlers: the functions that task nodes name. `defineHandler` ties a name and a declared version
// to Zod schemas and a function; `HandlerRegistry` is the set that this build has.
// A handler may run more than once for one node (at least once): `idempotencyKey` is the same
// for every attempt, so that the world outside can tell a repetition from a new request.
import * as z from "zod";
import type { KnownHandlers, ParamNames } from "../core/check-params.ts";
import type { Json } from "../core/json.ts";
import { WorkflowError } from "../core/error.ts";
import { safeParse } from "../core/safe-parse.ts";

export interface HandlerContext<Params> {
  readonly params: Params;
  /** The attempt's number, from 1; never reused within a node. */
  readonly attempt: number;
  /** `job/node` or `job/node/item`: the same for all attempts. */
  readonly idempotencyKey: string;
  /** Aborted at the time-out and when the job is cancelled; `reason` says which. */
  readonly signal: AbortSignal;
  /** Kept with the attempt's outcome: the last 20 lines, 2 KB. Structured fields are optional. */
  readonly log: (message: string, fields?: Readonly<Record<string, Json>>) => void;
  readonly job: HandlerJob;
}

export interface HandlerJob {
  readonly job_id: string;
  readonly workflow_id: string;
  readonly workflow_version: number;
  readonly node_id: string;
  /** The item's index in a fan_out. */
  readonly index?: number;
}

export interface HandlerDefinition<Params, Output> {
  /** `[a-z][a-z0-9_]{0,63}`; what YAML names. */
  readonly name: string;
  /** Declared by the author; recorded with every attempt. Raise it when results may change. */
  readonly version: string;
  readonly description?: string;
  readonly params: z.ZodType<Params>;
  readonly output: z.ZodType<Output>;
  readonly run: (context: HandlerContext<Params>) => Promise<Output> | Output;
}

/** A handler with its types closed over: what the registry keeps and the shell runs. */
export interface Handler {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly params: z.ZodType;
  readonly output: z.ZodType;
  /** Validates params, runs, validates the output. Throws what the handler throws. */
  readonly run: (context: HandlerContext<Json>) => Promise<unknown>;
}

const HANDLER_NAME = /^[a-z][a-z0-9_]{0,63}$/;

export function defineHandler<Params, Output>(
  definition: HandlerDefinition<Params, Output>,
): Handler {
  if (!HANDLER_NAME.test(definition.name)) {
    throw new WorkflowError(
      "CONFIGURATION_INVALID",
      `handler "${definition.name}": expected a name of a-z, 0-9, _, starting with a letter`,
    );
  }
  if (definition.version === "") {
    throw new WorkflowError(
      "CONFIGURATION_INVALID",
      `handler "${definition.name}": expected a version, got an empty string`,
    );
  }
  const { name, version, params, output } = definition;
  return {
    name,
    version,
    params,
    output,
    description: definition.description ?? "",
    run: async (context) => {
      const checked = safeParse(params, context.params);
      if (!checked.success) {
        throw new TerminalError(`params: ${explain(checked.error)}`, "PARAMS_INVALID");
      }
      const result: unknown = await definition.run({ ...context, params: checked.data });
      const validated = safeParse(output, result);
      if (!validated.success) {
        throw new TerminalError(`output: ${explain(validated.error)}`, "OUTPUT_INVALID");
      }
      return validated.data;
    },
  };
}

/** As many problems as help; the rest is counted. */
const MAX_EXPLAINED = 20;

function explain(error: z.ZodError): string {
  const shown = error.issues.slice(0, MAX_EXPLAINED).map((issue) => {
    const pointer = issue.path.map((part) => `/${escaped(String(part))}`).join("");
    return pointer === "" ? issue.message : `${pointer}: ${issue.message}`;
  });
  const more = error.issues.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

function escaped(part: string): string {
  return part.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Trying again cannot help: the node fails now, whatever its retry policy. */
export class TerminalError extends Error {
  override readonly name = "TerminalError";
  readonly code: string;
  /** Stored with the node: `[A-Z][A-Z0-9_]{0,63}` and none the engine keeps to itself. */
  constructor(message: string, code = "HANDLER_FAILED", options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Trying again may help; the retry policy decides. Any other thrown value counts as this. */
export class RetryableError extends Error {
  override readonly name = "RetryableError";
  readonly code: string;
  constructor(message: string, code = "HANDLER_FAILED", options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export class HandlerRegistry {
  readonly #handlers: ReadonlyMap<string, Handler>;
  /** Name to declared version: what the reducer sees of the registry. */
  readonly versions: ReadonlyMap<string, string>;
  /** Name to names of params: what a definition is checked with. */
  readonly known: KnownHandlers;

  constructor(handlers: readonly Handler[]) {
    const byName = new Map<string, Handler>();
    for (const handler of handlers) {
      if (byName.has(handler.name)) {
        throw new WorkflowError(
          "CONFIGURATION_INVALID",
          `handler "${handler.name}": registered twice`,
        );
      }
      byName.set(handler.name, handler);
    }
    this.#handlers = byName;
    this.versions = new Map(handlers.map((handler) => [handler.name, handler.version]));
    this.known = new Map(handlers.map(({ name, params }) => [name, paramNames(params)]));
  }

  get(name: string): Handler | undefined {
    return this.#handlers.get(name);
  }

  list(): readonly Handler[] {
    return [...this.#handlers.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/** As far as the schema is an object; what only a value or several params decide is left to it. */
function paramNames(schema: z.ZodType): ParamNames | undefined {
  if (!(schema instanceof z.ZodObject)) return undefined;
  const isClosed = schema.def.catchall instanceof z.ZodNever;
  const known = isClosed ? { known: Object.keys(schema.shape) } : {};
  return { ...known, required: missed(schema) };
}

/** What the schema misses where nothing is given. Rules over several params do not count. */
function missed({ shape }: z.ZodObject): readonly string[] {
  try {
    const issues = safeParse(z.object(shape), {}).error?.issues ?? [];
    return [...new Set(issues.map(({ path }) => String(path[0])))];
  } catch {
    // A schema that waits for something says nothing at once.
    return [];
  }
}
