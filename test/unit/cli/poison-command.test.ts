// The operator's command for poisoned messages: what it prints, its exit codes, and that nothing a
// message holds reaches a terminal as it is.
import { describe, expect, test } from "vitest";
import { USAGE, poisonCommand } from "../../../src/cli/poison-command.ts";
import { WorkflowError } from "../../../src/core/error.ts";
import type { PoisonPorts } from "../../../src/runtime/poison-desk.ts";
import { poisonPorts } from "../../support/poison-ports.ts";
import { TestRuntime } from "../../support/runtime.ts";

const MESSAGE = JSON.stringify({
  v: 1,
  kind: "task",
  job_id: "0197aaaa-0000-7000-8000-000000000000",
  node_id: "resize",
  attempt: 2,
  rev: 4,
  first_sent_at: "2026-01-01T00:00:00.000Z",
  deferrals: 0,
});
const HOSTILE = "a\u001b[2J\u202eb\u0085\nERROR forged";

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function ran(ports: () => PoisonPorts, ...args: readonly string[]): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await poisonCommand(args, ports, {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
  });
  return { code, out: out.join("\n"), err: err.join("\n") };
}

const noPorts = (): PoisonPorts => {
  throw new WorkflowError("CONFIGURATION_INVALID", "COSMOS_ENDPOINT: missing");
};

async function desk(...texts: readonly string[]) {
  const runtime = new TestRuntime();
  for (const text of texts) {
    await runtime.poison(text);
    await runtime.clock.advance(1_000);
  }
  const ports = poisonPorts(runtime);
  const run = (...args: readonly string[]) => ran(() => ports, ...args);
  const { out } = await run("list", "--json");
  const { messages } = JSON.parse(out) as { messages: { id: string; readable: boolean }[] };
  return { run, ports, messages, ids: messages.map(({ id }) => id) };
}

describe("arguments", () => {
  test.each([[], ["--help"], ["-h"], ["help"], ["list", "--help"]].map((args) => ({ args })))(
    "$args: how it is used, without touching a store",
    async ({ args }) => {
      expect(await ran(noPorts, ...args)).toEqual({ code: 0, out: USAGE.join("\n"), err: "" });
    },
  );

  const wrong: readonly (readonly string[])[] = [
    ["delete"],
    ["list", "x"],
    ["list", "--all"],
    ["show"],
    ["show", "a", "b"],
    ["put-back"],
    ["put-back", "--all", "x"],
    ["put-back", "--all", "--again"],
    ["list", "--unknown"],
    ["\u001b[2J"],
  ];
  test.each(wrong.map((args) => ({ args })))("$args: refused with a hint", async ({ args }) => {
    const { code, out, err } = await ran(noPorts, ...args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("hint:");
    expect(err).not.toContain("\u001b");
  });

  test("settings that are missing are said, with a hint", async () => {
    const { code, err } = await ran(noPorts, "list");
    expect(code).toBe(1);
    expect(err).toMatch(/COSMOS_ENDPOINT: missing\nhint: /);
  });
});

test("an empty desk says so", async () => {
  const { run } = await desk();
  expect(await run("list")).toMatchObject({ code: 0, out: expect.stringContaining("No message") });
  expect(await run("put-back", "--all")).toMatchObject({ code: 0, out: "Nothing to put back." });
});

test("the list has a line for each message, kept or still standing", async () => {
  const { run, ports, ids } = await desk(MESSAGE, HOSTILE);
  ports.standing.push({
    message_id: "m1",
    inserted_at: "2026-02-01T00:00:00.000Z",
    body: { text: "//4=", encoding: "base64" },
  });
  const { out } = await run("list");
  const lines = out.split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[1]).toMatch(/^\d{8}T\d{9}Z-[0-9a-f]{12} .* task resize attempt 2 +\d+ +no$/);
  expect(lines[2]).toContain("not a message of ours");
  expect(lines[3]).toMatch(/^queue:m1 /);
  expect(ids).toHaveLength(2);
});

test("what a message holds is shown without its controls", async () => {
  const { run, ids } = await desk(HOSTILE);
  for (const args of [["show", ids[0] ?? ""], ["show", ids[0] ?? "", "--json"], ["list"]]) {
    const { code, out } = await run(...args);
    expect(code).toBe(0);
    expect(out.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  }
  const { out } = await run("show", ids[0] ?? "", "--json");
  expect(JSON.parse(out)).toMatchObject({ text: HOSTILE });
});

test("put-back is done once; --again does it once more", async () => {
  const { run, ports, ids } = await desk(MESSAGE);
  const [id = ""] = ids;
  expect(await run("put-back", id)).toEqual({ code: 0, out: `${id} was put back`, err: "" });
  const second = await run("put-back", id, id);
  expect(second).toMatchObject({ code: 0, out: expect.stringContaining("was put back already") });
  expect(ports.sent).toHaveLength(1);
  expect((await run("list")).out).not.toMatch(/ no$/m);
  await run("put-back", id, "--again");
  expect(ports.sent).toHaveLength(2);
  expect((await run("list")).out).toContain("(2 times)");
});

test("put-back --all takes what is readable", async () => {
  const { run, ports, messages } = await desk(MESSAGE, "garbage");
  const { out } = await run("put-back", "--all", "--json");
  const readable = messages.filter((one) => one.readable).map(({ id }) => id);
  expect(JSON.parse(out)).toMatchObject({ messages: readable.map((id) => ({ id })) });
  expect(ports.sent).toHaveLength(1);
});

test("an id that is not there fails, and the others are done all the same", async () => {
  const { run, ports, ids } = await desk(MESSAGE);
  const { code, err } = await run("put-back", "nothing\u001b", ids[0] ?? "");
  expect(code).toBe(1);
  expect(err).toContain("no message nothing\\u001b");
  expect(ports.sent).toHaveLength(1);
  expect((await run("show", "nothing")).code).toBe(1);
});

test("a queue that fails midway: what was done is said, then the failure", async () => {
  const { ports, ids } = await desk(MESSAGE, MESSAGE);
  let sends = 0;
  const sendWork = async (): Promise<void> => {
    sends += 1;
    if (sends > 1) throw new WorkflowError("QUEUE_UNAVAILABLE", "send: no answer");
  };
  const failing = { ...ports, queues: { ...ports.queues, sendWork } };
  const { code, out, err } = await ran(() => failing, "put-back", ...ids);
  expect({ code, out }).toEqual({ code: 1, out: `${ids[0] ?? ""} was put back` });
  expect(err).toMatch(/^QUEUE_UNAVAILABLE: .*\nhint: /);
});
