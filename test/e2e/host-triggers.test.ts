// The local host's triggers against a real queue service: retries, poison, concurrency, leases and
// stopping are what Azure's host does.

import { QueueServiceClient, type QueueClient } from "@azure/storage-queue";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startStores, type Stores } from "../../src/local/emulators.ts";
import type { RunningHost } from "../../src/local/host.ts";
import { newControl, type Control } from "../fixtures/host-app/control.ts";
import { hostFixture, hostJsonWith, type HostFixture } from "../support/host-fixture.ts";
import { waitFor } from "../support/wait-until.ts";

let stores: Stores;
let fixture: HostFixture;
let service: QueueServiceClient;

beforeAll(async () => {
  stores = await startStores();
  fixture = await hostFixture("host-app/main.ts");
  service = QueueServiceClient.fromConnectionString(stores.env.AzureWebJobsStorage);
});

afterAll(async () => {
  await stores.stop();
});

let queueNumber = 0;

interface Bench {
  readonly host: RunningHost;
  readonly control: Control;
  readonly queue: QueueClient;
  readonly poison: QueueClient;
  readonly send: (text: string) => Promise<void>;
}

/** A host of its own with queues of its own, stopped when `work` has ended. */
async function withHost(
  settings: {
    readonly queues?: Readonly<Record<string, unknown>>;
    readonly env?: Readonly<Record<string, string>>;
    readonly stopTimeoutMs?: number;
    /** Messages that are there before the host starts. */
    readonly waiting?: readonly string[];
  },
  work: (bench: Bench) => Promise<void>,
): Promise<void> {
  queueNumber += 1;
  const name = `work-${queueNumber}`;
  const control = newControl();
  const queue = service.getQueueClient(name);
  const poison = service.getQueueClient(`${name}-poison`);
  await queue.create();
  const send = async (text: string): Promise<void> => {
    await queue.sendMessage(Buffer.from(text).toString("base64"));
  };
  await Promise.all((settings.waiting ?? []).map(send));
  control.holding = settings.waiting !== undefined;
  const host = await fixture.start({
    hostJsonPath: hostJsonWith(fixture.directory, {
      visibilityTimeout: "00:00:00",
      ...settings.queues,
    }),
    env: {
      ...stores.env,
      FIXTURE_QUEUE: name,
      FIXTURE_SCHEDULE: "0 0 0 1 1 *",
      HOLDFAST_LOCAL_POLL_MS: "150",
      ...settings.env,
    },
    stopTimeoutMs: settings.stopTimeoutMs ?? 5_000,
  });
  try {
    await work({ host, control, queue, poison, send });
  } finally {
    await host.stop();
  }
}

describe("queue", () => {
  test("a message is decoded, parsed, run once and deleted", async () => {
    await withHost({}, async ({ control, queue, send }) => {
      await send('{"kind": "wake", "n": 3}');
      await waitFor(async () => (await count(queue)) === 0, { what: "the queue is empty" });
      expect(control.calls).toHaveLength(1);
      expect(control.calls[0]?.input).toEqual({ kind: "wake", n: 3 });
      expect(control.calls[0]?.metadata).toMatchObject({
        dequeueCount: 1,
        kind: "wake",
        n: 3,
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        insertionTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*\+00:00$/),
      });
    });
  });

  test("plain text, numbers and null arrive as the library parses them", async () => {
    await withHost({}, async ({ control, send }) => {
      for (const text of ["plain", "123", "null"]) {
        await send(text);
      }
      await waitFor(() => control.calls.length === 3, { what: "three calls" });
      const inputs = control.calls.map(({ input }) => input);
      expect(inputs).toEqual(expect.arrayContaining(["plain", 123, null]));
    });
  });

  test("a message with the metadata's own names shadows them", async () => {
    await withHost({}, async ({ control, send }) => {
      await send('{"id": "mine", "dequeueCount": 9, "list": [1], "yes": true}');
      await waitFor(() => control.calls.length === 1, { what: "one call" });
      const metadata = control.calls[0]?.metadata;
      expect(metadata).toMatchObject({ id: "mine", dequeueCount: 9, yes: "True" });
      expect(metadata).not.toHaveProperty("list");
    });
  });

  test("a failing message is tried again with a rising count, then runs", async () => {
    await withHost({}, async ({ control, queue, send }) => {
      control.failures = 2;
      await send("x");
      await waitFor(async () => (await count(queue)) === 0, { what: "the queue is empty" });
      expect(counts(control)).toEqual([1, 2, 3]);
    });
  });

  test("after the last try the raw message goes to a poison queue made on demand", async () => {
    await withHost({ queues: { maxDequeueCount: 3 } }, async ({ control, queue, send }) => {
      control.failures = 99;
      await send("bad");
      await waitFor(() => control.hooks.includes("poison:bad"), { what: "it is poison" });
      expect(counts(control)).toEqual([1, 2, 3]);
      expect(await count(queue)).toBe(0);
    });
  });

  test("a failed message stays hidden for the release delay", async () => {
    await withHost({ env: { HOLDFAST_LOCAL_RELEASE_SECONDS: "2" } }, async ({ control, send }) => {
      control.failures = 1;
      await send("x");
      await waitFor(() => control.failures === 0, { what: "the first try failed" });
      const failedAt = performance.now();
      await waitFor(() => control.calls.length === 2, { what: "the second try" });
      expect(performance.now() - failedAt).toBeGreaterThan(1_000);
    });
  });

  test("what is not base64 goes to poison raw, without running", async () => {
    await withHost({}, async ({ control, queue, poison }) => {
      await queue.sendMessage("{plain}");
      // The poison function cannot decode it either, and has no poison queue: it stays.
      await waitFor(async () => (await count(poison)) === 1, { what: "one poison message" });
      expect(control.calls).toEqual([]);
      expect(await count(queue)).toBe(0);
    });
  });

  test("at most batchSize + newBatchThreshold messages run at once", async () => {
    const queues = { batchSize: 4, newBatchThreshold: 2 };
    const waiting = Array.from({ length: 14 }, (_, n) => String(n));
    await withHost({ queues, waiting }, async ({ control, queue }) => {
      await waitFor(() => control.running === 4, { what: "a first batch runs" });
      control.held.splice(0, 1)[0]?.();
      await waitFor(() => control.running === 3, { what: "one has ended" });
      // Three are above the threshold, so no new batch may come; two are not.
      control.held.splice(0, 1)[0]?.();
      await waitFor(() => control.running === 6, { what: "a second batch runs beside two" });
      expect([control.calls.length, control.peak]).toEqual([8, 6]);
      release(control);
      await waitFor(async () => (await count(queue)) === 0, { what: "the queue is empty" });
      expect([control.calls.length, control.peak]).toEqual([14, 6]);
    });
  });

  test("batch size 1 and threshold 0 run strictly one by one", async () => {
    const queues = { batchSize: 1, newBatchThreshold: 0 };
    const waiting = ["1", "2", "3", "4", "5"];
    await withHost({ queues, waiting }, async ({ control, queue }) => {
      await waitFor(() => control.running === 1, { what: "the first runs" });
      release(control);
      await waitFor(async () => (await count(queue)) === 0, { what: "the queue is empty" });
      expect([control.calls.length, control.peak]).toEqual([5, 1]);
    });
  });

  test("a message that runs longer than its lease is renewed and not delivered twice", async () => {
    await withHost({ env: { HOLDFAST_LOCAL_LEASE_SECONDS: "2" } }, async (bench) => {
      const { control, queue, send } = bench;
      control.holding = true;
      const before = renewals();
      await send("long");
      await waitFor(() => renewals() - before >= 3, { what: "three renewals" });
      release(control);
      await waitFor(async () => (await count(queue)) === 0, { what: "the queue is empty" });
      expect(counts(control)).toEqual([1]);
    });
  });

  test("a message that somebody else deleted meanwhile is no error", async () => {
    await withHost({}, async ({ host, control, queue, send }) => {
      control.holding = true;
      await send("x");
      await waitFor(() => control.running === 1, { what: "the message runs" });
      await queue.clearMessages();
      const before = fixture.logs.length;
      release(control);
      await host.stop();
      const lines = fixture.logs.slice(before);
      expect(lines.filter(({ level }) => level === "error")).toEqual([]);
    });
  });

  test("a missing queue is polled and found when it appears", async () => {
    await withHost({ env: { FIXTURE_QUEUE: "comes-later" } }, async ({ control }) => {
      const later = service.getQueueClient("comes-later");
      expect(await later.exists()).toBe(false);
      await later.create();
      await later.sendMessage(Buffer.from("found").toString("base64"));
      await waitFor(() => control.calls.length === 1, { what: "the message ran" });
    });
  });

  test("stopping waits for what runs, and settles it", async () => {
    await withHost({}, async ({ host, control, queue, send }) => {
      control.holding = true;
      await send("x");
      await waitFor(() => control.running === 1, { what: "the message runs" });
      const stopping = host.stop();
      const refused = await fetch(`${host.url}/api/unrouted`);
      expect(refused.status).toBe(503);
      expect(await refused.text()).toBe("Function host is not running.");
      release(control);
      expect(await stopping).toBe(0);
      expect(await count(queue)).toBe(0);
      expect(control.hooks).toContain("appTerminate");
      await expect(fetch(host.url)).rejects.toThrow("fetch failed");
    });
  });

  test("stopping gives up on what never ends", async () => {
    await withHost({ stopTimeoutMs: 300 }, async ({ host, control }) => {
      const request = fetch(`${host.url}/api/stuck`).catch(() => "cut");
      await waitFor(() => control.hooks.includes("stuck"), { what: "the request is in flight" });
      expect(await host.stop()).toBe(1);
      expect(await request).toBe("cut");
    });
  });
});

test("functionTimeout fails the invocation and says so", async () => {
  const env = { AzureFunctionsJobHost__functionTimeout: "00:00:01" };
  await withHost({ env }, async ({ host }) => {
    expect((await fetch(`${host.url}/api/stuck`)).status).toBe(500);
    const text = fixture.logs.map(({ message }) => message).join("\n");
    expect(text).toContain('Timeout value of 1000 ms exceeded by function "stuck"');
  });
});

test("a setting replaces the schedule of every timer", async () => {
  await withHost({ env: { HOLDFAST_LOCAL_TIMER: "00:00:00.2" } }, async ({ control }) => {
    await waitFor(() => control.timerInputs.length >= 3, { what: "three runs" });
    expect(control.timerInputs[0]).toMatchObject({ schedule: { adjustForDST: false } });
  });
});

test("a name in percent signs that is no setting stops the start", async () => {
  const env = { ...stores.env, FIXTURE_SCHEDULE: "00:01:00" };
  await expect(fixture.start({ env })).rejects.toThrow("names the setting FIXTURE_QUEUE");
});

test("a timer runs on its schedule, one run at a time", async () => {
  await withHost({ env: { FIXTURE_SCHEDULE: "*/1 * * * * *" } }, async ({ control }) => {
    await waitFor(() => control.timerInputs.length >= 2, { what: "two runs" });
    expect(control.timerInputs[0]).toEqual({
      isPastDue: false,
      schedule: { adjustForDST: true },
      scheduleStatus: null,
    });
  });
});

function release(control: Control): void {
  control.holding = false;
  for (const letGo of control.held.splice(0)) {
    letGo();
  }
}

function counts(control: Control): readonly unknown[] {
  return control.calls.map(({ metadata }) => metadata["dequeueCount"]);
}

async function count(queue: QueueClient): Promise<number | undefined> {
  return (await queue.getProperties()).approximateMessagesCount;
}

function renewals(): number {
  return fixture.logs.filter(({ message }) => message.endsWith("renewed.")).length;
}
