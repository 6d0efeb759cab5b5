// Poisoned messages on an operator's desk: what is kept of them, how they are listed, and how they
// get back to the work queue without ever doing harm.
import { describe, expect, test } from "vitest";
import { MAX_KEPT_BYTES, messageIn } from "../../../src/runtime/kept-message.ts";
import {
  idsToPutBack,
  listPoison,
  putBack,
  showPoison,
} from "../../../src/runtime/poison-desk.ts";
import { bodyOfBytes, poisonBody, processPoison } from "../../../src/runtime/process-poison.ts";
import { defineHandler } from "../../../src/runtime/handlers.ts";
import { poisonPorts } from "../../support/poison-ports.ts";
import { TestRuntime } from "../../support/runtime.ts";
import * as z from "zod";

const echo = defineHandler({
  name: "echo",
  version: "1",
  params: z.unknown(),
  output: z.unknown(),
  run: ({ params }) => params,
});

const JOB = "0197aaaa-0000-7000-8000-000000000000";
const once = { again: false };

function started(): TestRuntime {
  return new TestRuntime({ handlers: [echo] });
}

function readable(more: object = {}): string {
  const at = "2026-01-01T00:00:00.000Z";
  return JSON.stringify({
    v: 1, kind: "wake", job_id: JOB, rev: 0, first_sent_at: at, deferrals: 7, ...more,
  });
}

async function onlyId(runtime: TestRuntime): Promise<string> {
  const { messages } = await listPoison(poisonPorts(runtime));
  expect(messages).toHaveLength(1);
  return messages[0]?.id ?? "";
}

describe("what is kept", () => {
  const texts: readonly [name: string, text: string, isReadable: boolean][] = [
    ["a message", readable(), true],
    ["a message of a later shape", readable({ v: 2 }), false],
    ["no JSON", "no json \u001b[31m\u0000 ünï", false],
    ["an empty text", "", false],
    ["JSON that is no message", '{"job_id":"x"}', false],
    ["a polluting message", readable().replace("{", '{"__proto__":{"v":9},'), true],
    ["a text of markup", "<script>alert(1)</script>", false],
  ];
  test.each(texts)("%s", async (_name, text, isReadable) => {
    const runtime = started();
    await runtime.poison(text);
    const id = await onlyId(runtime);
    const shown = await showPoison(poisonPorts(runtime), id);
    expect(shown).toMatchObject({ text, encoding: "text", cut: false, readable: isReadable });
    expect(shown?.job_id).toBe(isReadable ? JOB : undefined);
  });

  test("a lone surrogate is replaced, and a text beyond the bound is cut and says so", async () => {
    const runtime = started();
    await runtime.poison(`\ud800${"ü".repeat(MAX_KEPT_BYTES)}`);
    const shown = await showPoison(poisonPorts(runtime), await onlyId(runtime));
    expect(shown?.cut).toBe(true);
    expect(shown?.text.isWellFormed()).toBe(true);
    expect(Buffer.byteLength(shown?.text ?? "")).toBeLessThanOrEqual(MAX_KEPT_BYTES);
    expect(await putBack(poisonPorts(runtime), shown?.id ?? "", once)).toMatchObject({
      outcome: "only_its_beginning",
    });
  });

  test("costs one create for what names no job", async () => {
    const runtime = started();
    runtime.store.resetRequests();
    await runtime.poison("garbage");
    expect([...runtime.store.requests]).toEqual([["journal.create", 1]]);
  });

  test("the same text twice is kept twice: each is a report", async () => {
    const runtime = started();
    await runtime.poison("x");
    await runtime.poison("x");
    expect((await listPoison(poisonPorts(runtime))).messages).toHaveLength(2);
  });

  test("expires after ninety days and is never replaced", async () => {
    const runtime = started();
    await runtime.poison("x");
    await putBack(poisonPorts(runtime), await onlyId(runtime), once);
    const documents = runtime.store.journalOf("poison");
    expect(documents.map(({ ttl }) => ttl)).toEqual([7_776_000, 7_776_000]);
    expect([...runtime.store.requests.keys()].filter((one) => one.includes("replace"))).toEqual([]);
  });
});

describe("a body that a trigger hands over", () => {
  const deep = (): unknown => {
    let value: unknown = [];
    for (let n = 0; n < 50_000; n += 1) value = [value];
    return value;
  };
  const bodies: readonly [name: string, given: unknown, text: string, encoding: string][] = [
    ["text", "plain", "plain", "text"],
    ["parsed JSON", { a: [1, null] }, '{"a":[1,null]}', "text"],
    ["a number", 7, "7", "text"],
    ["null", null, "null", "text"],
    ["nothing", undefined, "(a body that cannot be written as text)", "text"],
    ["bytes of text", Buffer.from("ü"), "ü", "text"],
    ["a byte order mark", Buffer.from("\ufeffx"), "\ufeffx", "text"],
    ["bytes that are no text", Buffer.from([0xff, 0xfe]), "//4=", "base64"],
    ["lists in lists without end", deep(), "(a body that cannot be written as text)", "text"],
  ];
  test.each(bodies)("%s", (_name, given, ...[text, encoding]) => {
    expect(poisonBody(given)).toEqual({ text, encoding });
  });

  test("base64 that spells a message is still not taken for one", () => {
    const text = Buffer.from(readable()).toString("base64");
    expect(messageIn({ text, encoding: "base64" })).toBeUndefined();
    expect(messageIn(bodyOfBytes(Buffer.from(readable())))).toBeDefined();
  });
});

describe("a store that does not keep", () => {
  test("the text goes back to its queue, and the report is not lost", async () => {
    const runtime = started();
    const waiting: unknown[] = [];
    const queue = {
      send: async (body: object, delay: number) => void waiting.push({ ...body, delay }),
    };
    const body = { text: "garbage", encoding: "text" } as const;
    runtime.gate.rule = () => "refused";
    await processPoison(runtime.first.sessions, runtime.first.engine, { body, queue });
    expect(waiting).toEqual([{ ...body, delay: 60 }]);
    expect(runtime.logs.at(-1)).toMatchObject({
      name: "message.poisoned",
      fields: { kept: false, put_back: true },
    });
  });

  test("neither store nor queue: it still does not reject", async () => {
    const runtime = started();
    const queue = { send: () => Promise.reject(new Error("down")) };
    runtime.gate.rule = () => "refused";
    for (const text of ["garbage", readable()]) {
      const body = { text, encoding: "text" } as const;
      await processPoison(runtime.first.sessions, runtime.first.engine, { body, queue });
    }
    const { fields } = runtime.logs.at(-1) ?? {};
    expect(fields).toMatchObject({ kept: false, put_back: false, told: false });
  });
});

describe("putting back", () => {
  test("sends the message with a new time, records it, and does it once", async () => {
    const runtime = started();
    await runtime.poison(readable({ kind: "task", node_id: "a", attempt: 1, rev: 3 }));
    const ports = poisonPorts(runtime);
    const id = await onlyId(runtime);
    await runtime.clock.advance(1_000_000);
    const at = runtime.clock.now();
    expect(await putBack(ports, id, once)).toEqual({ id, outcome: "put_back", at });
    expect(ports.sent.map(({ text }) => JSON.parse(text) as unknown)).toEqual([
      {
        v: 1, kind: "task", job_id: JOB, node_id: "a", attempt: 1, rev: 3,
        first_sent_at: at, deferrals: 0,
      },
    ]);
    await runtime.clock.advance(1_000);
    expect(await putBack(ports, id, once)).toEqual({ id, outcome: "was_put_back", at });
    expect(ports.sent).toHaveLength(1);
    const { messages } = await listPoison(ports);
    expect(messages).toMatchObject([{ id, put_back: 1, put_back_at: at }]);
    expect(await putBack(ports, id, { again: true })).toMatchObject({ outcome: "put_back" });
    expect((await listPoison(ports)).messages[0]?.put_back).toBe(2);
    expect(ports.sent).toHaveLength(2);
  });

  test("what cannot be read goes back as it is, and only by its id", async () => {
    const runtime = started();
    await runtime.poison("garbage");
    const ports = poisonPorts(runtime);
    expect(idsToPutBack(await listPoison(ports))).toEqual([]);
    await putBack(ports, await onlyId(runtime), once);
    expect(ports.sent).toEqual([{ text: "garbage", encoding: "text" }]);
  });

  test("everything readable that was not put back is taken, oldest first", async () => {
    const runtime = started();
    for (const rev of [1, 2, 3]) {
      await runtime.poison(readable({ rev }));
      await runtime.clock.advance(1_000);
    }
    const ports = poisonPorts(runtime);
    const [first = "", second = "", third = ""] = idsToPutBack(await listPoison(ports));
    await putBack(ports, second, once);
    expect(idsToPutBack(await listPoison(ports))).toEqual([first, third]);
  });

  test("a send that fails leaves no record: it can be tried again", async () => {
    const runtime = started();
    await runtime.poison(readable());
    const ports = poisonPorts(runtime);
    const id = await onlyId(runtime);
    const failing = {
      ...ports,
      queues: { ...ports.queues, sendWork: () => Promise.reject(new Error("down")) },
    };
    await expect(putBack(failing, id, once)).rejects.toThrow("down");
    expect(await putBack(ports, id, once)).toMatchObject({ outcome: "put_back" });
  });

  test("what stands in the poison queue is kept, sent, and only then taken off", async () => {
    const runtime = started();
    const ports = poisonPorts(runtime);
    const body = { text: readable(), encoding: "text" } as const;
    ports.standing.push({ message_id: "m1", inserted_at: "2026-01-01T00:00:00.000Z", body });
    const failing = {
      ...ports,
      queues: { ...ports.queues, sendWork: () => Promise.reject(new Error("down")) },
    };
    await expect(putBack(failing, "queue:m1", once)).rejects.toThrow("down");
    expect(ports.standing).toHaveLength(1);
    expect(await showPoison(ports, "queue:m1")).toMatchObject({ from: "queue", text: body.text });
    expect(await putBack(ports, "queue:m1", once)).toMatchObject({ outcome: "put_back" });
    expect(ports.standing).toHaveLength(0);
    expect(await putBack(ports, "queue:m1", once)).toMatchObject({ outcome: "not_found" });
  });

  test.each(["", "x", "kept:x", "../0", "queue:", "20260101T000000000Z-0123456789ab"])(
    "%j is no message that is kept",
    async (id) => {
      const ports = poisonPorts(started());
      expect(await showPoison(ports, id)).toBeUndefined();
      expect(await putBack(ports, id, once)).toEqual({ id, outcome: "not_found" });
    },
  );

  test("a job whose message was given up and put back twice ends as if nothing was", async () => {
    const runtime = started();
    runtime.catalog.put({
      workflow_id: "w",
      version: 1,
      nodes: {
        start: { type: "start", next: "a" },
        a: { type: "task", handler: "echo", params: { x: 1 }, next: "end" },
        end: { type: "end" },
      },
    });
    const { job } = await runtime.submit({ workflow_id: "w" });
    const [start] = runtime.queue.receive(1, 1);
    runtime.queue.clear();
    await runtime.poison(start?.text ?? "");
    // Being told brought the job on by itself; now the task's message is given up as well.
    const task = runtime.queue.receive(32, 1).find(({ text }) => text.includes('"task"'));
    await runtime.poison(task?.text ?? "");
    runtime.queue.clear();
    runtime.isSweeping = false;
    const ports = poisonPorts(runtime);
    const { messages } = await listPoison(ports);
    expect(messages.map(({ kind }) => kind)).toEqual(["start", "task"]);
    const id = messages[1]?.id ?? "";
    await putBack(ports, id, once);
    await putBack(ports, id, { again: true });
    expect(await runtime.runToEnd(job.job_id, 60)).toBe("completed");
    const starts = runtime
      .entries(job.job_id)
      .flatMap((entry) => entry["events"] as { type: string }[])
      .filter(({ type }) => type === "node_started");
    expect(starts).toHaveLength(1);
  });
});
