// Loading the app: what Azure would keep quiet about is said loudly. Apps are small CommonJS files
// that speak to the built-in module themselves, as the library does.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { loadApp, terminateApp, type App } from "../../../src/local/app-loader.ts";
import { createInvoker, FunctionTimeout } from "../../../src/local/invocation.ts";
import type { LogEntry } from "../../../src/local/host-log.ts";
import { StartupProblem } from "../../../src/local/startup-problem.ts";

const directory = mkdtempSync(path.join(tmpdir(), "holdfast-app-"));
let files = 0;

const HEADER = `
const core = require("@azure/functions-core");
const http = (name, options = {}) => core.registerFunction({
  name,
  bindings: { req: { type: "httpTrigger", direction: "in", methods: ["GET"], ...options } },
}, () => "result");
`;

async function load(
  source: string,
  expected: readonly string[] = [],
  logs: LogEntry[] = [],
): Promise<App> {
  files += 1;
  const bundlePath = path.join(directory, `app-${files}.cjs`);
  writeFileSync(bundlePath, HEADER + source);
  return loadApp({ bundlePath, expected, log: (entry) => logs.push(entry) });
}

async function checkProblem(source: string, ...parts: readonly string[]): Promise<void> {
  const loading = load(source, ["wanted"]);
  await expect(loading).rejects.toThrow(StartupProblem);
  for (const part of parts) {
    await expect(loading).rejects.toThrow(part);
  }
}

test("functions are sorted by name", async () => {
  const app = await load('http("b"); http("wanted"); http("A2"); http("a-1");', ["wanted"]);
  expect(app.functions.map(({ name }) => name)).toEqual(["a-1", "A2", "b", "wanted"]);
});

test("an app that throws before it registers would be silently empty in Azure", async () => {
  await checkProblem('throw new Error("no config");', "0 functions", "no config");
});

test("an app that throws after registering is refused too", async () => {
  await checkProblem('http("a"); throw new Error("late");', "1 functions", "late");
});

test("an app without functions is refused", async () => {
  await checkProblem("", "registered no function");
});

test("a missing function is named", async () => {
  await checkProblem('http("a");', "did not register wanted", "it has a");
});

test("a missing bundle names the command that builds it", async () => {
  const bundlePath = path.join(directory, "none.cjs");
  const options = { bundlePath, expected: [], log: () => undefined };
  await expect(loadApp(options)).rejects.toThrow("npm run build");
});

test("bad and repeated names are refused", async () => {
  await checkProblem('http("1a");', '"1a" is no function name');
  await checkProblem('http("Host");', '"Host" is no function name');
  await checkProblem('http("a"); http("A");', 'Two functions are named "A"');
});

test("a trigger or binding that this host lacks is refused", async () => {
  await checkProblem('http("a", { type: "blobTrigger" });', 'binding "blobTrigger"');
  await checkProblem('http("a", { type: "http" });', "must have one trigger, has 0");
  await checkProblem(
    `core.registerFunction({ name: "a", bindings: {
      t: { type: "timerTrigger", direction: "in" }, o: { type: "queue", direction: "out" },
    } }, () => 1);`,
    'no out binding "queue"',
  );
});

test("HTTP streaming is refused", async () => {
  const model = "{ getCapabilities: () => ({ HttpUri: 'http://x' }) }";
  await checkProblem(`http("wanted"); core.setProgrammingModel(${model});`, "enableHttpStream");
});

test("the module is there only while the app loads, and closed afterwards", async () => {
  const app = await load(
    `http("wanted");
     core.registerHook("appStart", (context) => { context.appHookData.late = () => http("late"); });
     core.registerHook("appTerminate", (context) => { context.appHookData.ended = true; });`,
  );
  expect(app.appHookData["late"]).toThrow("only be registered during app startup");
  await terminateApp(app);
  expect(app.appHookData["ended"]).toBe(true);
  await expect(load("")).rejects.toThrow("registered no function");
  await expect(import("@azure/functions-core" as string)).rejects.toThrow("functions-core");
});

test("an unknown hook is a RangeError, and a disposed registration is gone", async () => {
  await checkProblem('http("wanted"); core.registerHook("none", () => 1);', "Unrecognized hook");
  const app = await load('http("a").dispose(); http("wanted");');
  expect(app.functions).toHaveLength(1);
});

test("what the app logs while loading is a worker's line", async () => {
  const logs: LogEntry[] = [];
  await load('http("wanted"); core.log("warning", "system", "careful");', [], logs);
  expect(logs).toEqual([{ level: "warning", category: "Worker.system", message: "careful" }]);
});

/** A programming model that shows the order of its calls. */
const MODEL = `
core.setProgrammingModel({
  getInvocationModel: (context) => ({
    getArguments: async () => ({ context: { data: context.request.inputData }, inputs: ["in"] }),
    invokeFunction: async (context, inputs, callback) => {
      core.order.push("invoke:" + inputs[0]);
      context.log?.();
      return callback(...inputs);
    },
    getResponse: async (context, result) => ({ returnValue: { string: String(result) } }),
  }),
});
core.order = [];
core.registerHook("appStart", (context) => { context.appHookData.order = core.order; });
`;

async function invokeOnce(source: string, functionTimeoutMs?: number): Promise<unknown> {
  const app = await load(MODEL + source);
  const invoker = createInvoker({ app, functionTimeoutMs, log: () => undefined });
  const [target] = app.functions;
  if (target === undefined) {
    throw new Error("no function");
  }
  const { returnValue } = await invoker.invoke(target, { input: { string: "x" } });
  expect(invoker.inFlight()).toBe(0);
  return { returnValue, order: app.appHookData["order"] };
}

test("hooks may change inputs, callback and result", async () => {
  const answer = await invokeOnce(`http("a");
    core.registerHook("preInvocation", (context) => {
      context.inputs = ["changed"];
      context.functionCallback = (value) => value + "!";
    });
    core.registerHook("postInvocation", (context) => { context.result += "?"; });`);
  expect(answer).toEqual({ returnValue: { string: "changed!?" }, order: ["invoke:changed"] });
});

test("a postInvocation hook may turn an error into a result", async () => {
  const answer = await invokeOnce(`
    core.registerFunction({ name: "a", bindings: { r: { type: "httpTrigger", direction: "in" } } },
      () => { throw new Error("x"); });
    core.registerHook("postInvocation", (context) => {
      context.error = null;
      context.result = 1;
    });`);
  expect(answer).toMatchObject({ returnValue: { string: "1" } });
});

test("an invocation above functionTimeout is rejected", async () => {
  const source = `
    core.registerFunction({ name: "a", bindings: { r: { type: "httpTrigger", direction: "in" } } },
      () => new Promise(() => {}));`;
  await expect(invokeOnce(source, 20)).rejects.toThrow(FunctionTimeout);
});
