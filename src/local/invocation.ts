// One invocation, in the worker's order: arguments, preInvocation hooks, the function,
// postInvocation hooks, response. The library does all conversions.
//
// functionTimeout: Azure ends the worker process and every invocation in it. Here the invocation
// fails at once and is logged as an error; the handler cannot be stopped and may still be running.

import { randomBytes, randomUUID } from "node:crypto";
import type { App, AppFunction } from "./app-loader.ts";
import type { HostLog } from "./host-log.ts";
import type {
  CoreInvocationContext,
  InvocationRequest,
  InvocationResponse,
  LogCategory,
  LogLevel,
  TraceContext,
  TypedData,
} from "./rpc.ts";

export interface InvokerOptions {
  readonly app: App;
  readonly functionTimeoutMs: number | undefined;
  readonly log: HostLog;
}

export interface Invocation {
  readonly input: TypedData;
  readonly triggerMetadata?: Readonly<Record<string, TypedData>>;
  /** A caller's W3C `traceparent`; a new trace begins without one. */
  readonly traceParent?: string | undefined;
}

export interface Invoker {
  /** Rejects with what the function threw, or with a FunctionTimeout. */
  invoke(target: AppFunction, invocation: Invocation): Promise<InvocationResponse>;
  /** Invocations that have begun and not ended. */
  inFlight(): number;
  /** Resolves when nothing is in flight, or after `timeoutMs`, with how many are left. */
  drain(timeoutMs: number): Promise<number>;
}

export class FunctionTimeout extends Error {
  override readonly name = "FunctionTimeout";
}

const TRACE_PARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/;

export function createInvoker(options: InvokerOptions): Invoker {
  const running = new Set<Promise<unknown>>();
  return {
    inFlight: () => running.size,
    async invoke(target, invocation) {
      const work = bounded(target, invocation, options);
      running.add(work);
      try {
        return await work;
      } finally {
        running.delete(work);
      }
    },
    async drain(timeoutMs) {
      let timer: NodeJS.Timeout | undefined;
      const bound = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      const idle = async (): Promise<void> => {
        while (running.size > 0) {
          await Promise.allSettled(running);
        }
      };
      await Promise.race([idle(), bound]);
      clearTimeout(timer);
      return running.size;
    },
  };
}

async function bounded(
  target: AppFunction,
  invocation: Invocation,
  options: InvokerOptions,
): Promise<InvocationResponse> {
  const { functionTimeoutMs, log } = options;
  const invocationId = randomUUID();
  const work = runInvocation({ target, invocation, options, invocationId });
  if (functionTimeoutMs === undefined) {
    return work;
  }
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const message =
        `Timeout value of ${functionTimeoutMs} ms exceeded by function "${target.name}". `
        + "Azure would now end this process with everything in it.";
      log({
        level: "error",
        category: `Function.${target.name}`,
        message,
        invocation_id: invocationId,
      });
      reject(new FunctionTimeout(message));
    }, functionTimeoutMs);
    timer.unref();
  });
  try {
    return await Promise.race([work, expiry]);
  } finally {
    clearTimeout(timer);
  }
}

interface OneInvocation {
  readonly target: AppFunction;
  readonly invocation: Invocation;
  readonly options: InvokerOptions;
  readonly invocationId: string;
}

async function runInvocation(one: OneInvocation): Promise<InvocationResponse> {
  const { app } = one.options;
  const model = app.registered.model;
  if (model === undefined) {
    throw new Error("The app set no programming model.");
  }
  const invocationContext: { current: unknown } = { current: undefined };
  const core = coreContext(one, invocationContext);
  const invocationModel = await model.getInvocationModel(core);
  const { context, inputs } = await invocationModel.getArguments();
  invocationContext.current = context;
  const base = { hookData: {}, appHookData: app.appHookData, invocationContext: context };
  const before = { ...base, inputs, functionCallback: one.target.callback };
  await runHooks(one, core, { name: "preInvocation", context: before });
  const after: { inputs: unknown[]; result: unknown; error: unknown } & typeof base = {
    ...base,
    inputs: before.inputs,
    result: null,
    error: null,
  };
  core.state = "invocation";
  try {
    after.result = await invocationModel.invokeFunction(
      context,
      before.inputs,
      before.functionCallback,
    );
  } catch (error) {
    after.error = error;
  }
  await runHooks(one, core, { name: "postInvocation", context: after });
  if (after.error !== null && after.error !== undefined) {
    throw after.error instanceof Error
      ? after.error
      : new Error("The function threw what is no Error.", { cause: after.error });
  }
  return invocationModel.getResponse(context, after.result);
}

interface HookRun {
  readonly name: "preInvocation" | "postInvocation";
  readonly context: unknown;
}

async function runHooks(
  one: OneInvocation,
  core: CoreInvocationContext,
  run: HookRun,
): Promise<void> {
  core.state = `${run.name}Hooks`;
  try {
    for (const hook of one.options.app.registered.hooks.get(run.name) ?? []) {
      await hook(run.context);
    }
  } finally {
    core.state = undefined;
  }
}

function coreContext(
  one: OneInvocation,
  invocationContext: { readonly current: unknown },
): CoreInvocationContext {
  const { target, invocation, options, invocationId } = one;
  const request: InvocationRequest = {
    invocationId,
    functionId: target.name,
    inputData: [{ name: target.input, data: invocation.input }],
    triggerMetadata: invocation.triggerMetadata ?? {},
    traceContext: traceContext(invocation.traceParent),
    retryContext: undefined,
  };
  return {
    invocationId,
    request,
    metadata: target.metadata,
    log(level: LogLevel, category: LogCategory, message: string) {
      const line = withLogHooks(options.app, { level, category, message, invocationContext });
      const suffix = category === "user" ? ".User" : "";
      options.log({
        level: line.level,
        category: `Function.${target.name}${suffix}`,
        message: line.message,
        invocation_id: invocationId,
      });
    },
  };
}

interface LogLine {
  readonly level: LogLevel;
  readonly category: LogCategory;
  readonly message: string;
  readonly invocationContext: { readonly current: unknown };
}

/** Log hooks may change the level and text of the app's own lines, not of the system's. */
function withLogHooks(app: App, line: LogLine): { level: LogLevel; message: string } {
  const changeable = {
    hookData: {},
    appHookData: app.appHookData,
    level: line.level,
    message: line.message,
    category: line.category,
    invocationContext: line.invocationContext.current,
  };
  for (const hook of app.registered.hooks.get("log") ?? []) {
    hook(changeable);
  }
  return line.category === "user" ? changeable : line;
}

function traceContext(traceParent: string | undefined): TraceContext {
  const given = TRACE_PARENT.exec(traceParent ?? "");
  const traceId = given?.[1] ?? randomBytes(16).toString("hex");
  const flags = given?.[2] ?? "00";
  return {
    traceParent: `00-${traceId}-${randomBytes(8).toString("hex")}-${flags}`,
    traceState: "",
    attributes: {},
  };
}
