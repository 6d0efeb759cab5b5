// The thread that checks texts of strangers: same verdicts as on the main thread, a limit for each
// text, a bound on how many wait, and a main thread that goes on meanwhile.
import { afterAll, beforeAll, expect, test } from "vitest";
import { definitionThread } from "../../../build/bundle.mjs";
import { systemClock } from "../../../src/azure/system.ts";
import { checkDefinition } from "../../../src/catalog/check-definition.ts";
import { DefinitionChecker } from "../../../src/catalog/definition-checker.ts";
import type { KnownHandlers } from "../../../src/core/check-params.ts";
import { handlersNamed } from "../../support/parsed.ts";

const GOOD = `workflow_id: greet
version: 3
nodes:
  s: { type: start, next: hello }
  hello: { type: task, handler: echo, next: e }
  e: { type: end }
`;
/** Takes well over a second to be read: the library goes back over what it cannot place. */
const HOSTILE = "}".repeat(64 * 1024);

let program = "";
let checker: DefinitionChecker;

beforeAll(async () => {
  program = (await definitionThread()).text;
  checker = new DefinitionChecker({ program, clock: systemClock, limitMs: 5_000 });
});
afterAll(async () => {
  await checker.close();
});

const HANDLERS: KnownHandlers = new Map([
  ...handlersNamed("echo"),
  ["resize", { known: ["width"], required: ["width"] }],
]);
const text = (source: string) => ({ source, handlers: HANDLERS });

test.each([
  ["a good one", GOOD],
  ["one with mistakes", GOOD.replace("handler: echo", "handler: nobody").replace("3", "x")],
  ["one with other params", GOOD.replace("handler: echo", "handler: resize, params: {depth: 1}")],
  ["one that is no YAML", "a: ["],
  ["an empty one", ""],
])("the thread says of %s what the main thread says", async (_name, source) => {
  expect(await checker.check(text(source))).toEqual(checkDefinition(text(source)));
});

test("a text that takes too long is ended and called bad; the next one is read", async () => {
  const short = new DefinitionChecker({ program, clock: systemClock, limitMs: 50 });
  const long = await short.check(text(HOSTILE));
  expect(long).toEqual({
    valid: false,
    issues: [{ message: "reading the text takes more than 0.05 s, which no honest one does" }],
  });
  expect(await short.check(text(""))).toMatchObject({ valid: false });
  await short.close();
});

test("the main thread goes on while a hostile text is read", async () => {
  const short = new DefinitionChecker({ program, clock: systemClock, limitMs: 200 });
  let turns = 0;
  let isRead = false;
  const reading = short.check(text(HOSTILE)).then(() => {
    isRead = true;
  });
  while (!isRead) {
    await new Promise((resume) => setImmediate(resume));
    turns += 1;
  }
  await reading;
  // Had the text been read here, there would have been a handful.
  expect(turns).toBeGreaterThan(100);
  await short.close();
});

test("no more than eight texts wait; whoever comes then is told to come again", async () => {
  const waiting = Array.from({ length: 9 }, () => checker.check(text(GOOD)));
  expect(() => checker.check(text(GOOD))).toThrow(
    expect.objectContaining({ code: "RATE_LIMITED", facts: { retry_after_seconds: 1 } }),
  );
  const checked = await Promise.all(waiting);
  expect(new Set(checked.map(({ valid }) => valid))).toEqual(new Set([true]));
  expect(await checker.check(text(GOOD))).toMatchObject({ valid: true, version: 3 });
});

test("a thread that cannot start is a defect, not a verdict", async () => {
  const broken = new DefinitionChecker({ program: "throw new Error()", clock: systemClock });
  await expect(broken.check(text(GOOD))).rejects.toMatchObject({ code: "INTERNAL" });
});

test("a thread that ends by itself is replaced", async () => {
  const dying = `
    const { parentPort } = require("node:worker_threads");
    parentPort.on("message", () => process.exit(1));
    parentPort.postMessage("ready");
  `;
  const checks = new DefinitionChecker({ program: dying, clock: systemClock });
  const message = "reading the text takes more memory than any honest one does";
  for (let time = 0; time < 2; time += 1) {
    expect(await checks.check(text(GOOD))).toEqual({ valid: false, issues: [{ message }] });
  }
});
