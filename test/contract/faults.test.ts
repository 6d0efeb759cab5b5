// Azure's adapters while requests fail: an HTTP proxy in front of the emulators cuts, delays and
// refuses. No answer may be wrong: "exists" is never said of our own document, nothing is lost.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cosmosHandle } from "../../src/azure/cosmos-client.ts";
import { cosmosStores } from "../../src/azure/cosmos-stores.ts";
import type { CosmosHandle } from "../../src/azure/cosmos-client.ts";
import type { CosmosStores } from "../../src/azure/cosmos-stores.ts";
import { queueHandle, storageQueue } from "../../src/azure/storage-queue.ts";
import type { Settings } from "../../src/azure/settings.ts";
import { storeAdmin } from "../../src/azure/store-admin.ts";
import { WorkflowError } from "../../src/core/error.ts";
import type { StoreAdmin, WorkQueue } from "../../src/runtime/ports.ts";
import { startTestStores } from "../support/stores.ts";
import type { TestStores } from "../support/stores.ts";
import { definition, entry, job, message } from "./documents.ts";
import { startFaultProxy } from "./fault-proxy.ts";
import type { Fault, FaultProxy } from "./fault-proxy.ts";

const CREATE = /^POST .*\/docs$/;
const READ = /^GET .*\/docs\//;
const REPLACE = /^PUT .*\/docs\//;
/** For the requests that never get an answer; all others wait as long as the app does. */
const SHORT_TIMEOUT_MS = 500;

let emulators: TestStores;
let cosmosProxy: FaultProxy;
let queueProxy: FaultProxy;
let stores: CosmosStores;
let queue: WorkQueue;
let admin: StoreAdmin;
let settings: Settings;
let requests: string[];
let waitedMs: number;

/** Waits in no time, and keeps the time that it would have taken. */
const pace = {
  nowMs: () => waitedMs,
  wait: async (ms: number) => {
    waitedMs += ms;
  },
  fraction: () => 0.5,
};

beforeAll(async () => {
  emulators = await startTestStores();
});
afterAll(() => emulators.stop());

beforeEach(async () => {
  waitedMs = 0;
  requests = [];
  const env = emulators.env;
  const connection = env["AzureWebJobsStorage"] ?? "";
  const queueUrl = /QueueEndpoint=([^;]+)/.exec(connection)?.[1] ?? "";
  cosmosProxy = await startFaultProxy(env["COSMOS_ENDPOINT"] ?? "");
  queueProxy = await startFaultProxy(queueUrl);
  settings = emulators.settings({
    HOLDFAST_DATABASE: `db-${randomUUID().slice(0, 8)}`,
    COSMOS_ENDPOINT: `http://127.0.0.1:${cosmosProxy.port}`,
    AzureWebJobsStorage: connection.replace(new URL(queueUrl).host, `127.0.0.1:${queueProxy.port}`),
  });
  const cosmos = handle({});
  const queues = queueHandle({ connection: settings.queues });
  stores = cosmosStores(cosmos, pace);
  queue = storageQueue(queues);
  admin = storeAdmin({ cosmos, queues, pace });
  await admin.prepare();
  requests.length = 0;
  cosmosProxy.seen.length = 0;
  queueProxy.seen.length = 0;
  return async () => {
    cosmos.reset();
    await Promise.all([cosmosProxy.stop(), queueProxy.stop()]);
  };
});

function handle(more: { readonly requestTimeoutMs?: number }): CosmosHandle {
  return cosmosHandle({
    connection: settings.cosmos,
    database: settings.database,
    onRequest: (operation, outcome) => requests.push(`${operation} ${outcome}`),
    ...more,
  });
}

/** Stores that do not wait long for an answer, where the fault is that none comes. */
function storesUnder(fault: Fault): CosmosStores {
  if (fault.answer !== "silence") return stores;
  return cosmosStores(handle({ requestTimeoutMs: SHORT_TIMEOUT_MS }), pace);
}

async function thrownBy(run: () => Promise<unknown>): Promise<WorkflowError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof WorkflowError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const LOST: readonly (readonly [string, Fault])[] = [
  ["a connection cut after the commit", { commits: true, answer: "cut" }],
  ["a connection cut before it", { commits: false, answer: "cut" }],
  ["half an answer", { commits: true, answer: "truncated" }],
  ["no answer at all", { commits: true, answer: "silence" }],
  ["408 after the commit", { commits: true, answer: 408 }],
  ["500 after the commit", { commits: true, answer: 500 }],
  ["503 after the commit", { commits: true, answer: 503 }],
  ["503 before it", { commits: false, answer: 503 }],
];

describe("a create", () => {
  test.each(LOST)("succeeds after %s", async (_name, fault) => {
    cosmosProxy.plan({ on: CREATE, faults: [fault] });
    const document = entry();
    expect(await storesUnder(fault).journal.create(document)).toBe("created");
    expect(await stores.journal.read(document.job_id, "1")).toEqual(document);
  });

  test.each(LOST)("answers exists for somebody else's document after %s", async (_name, fault) => {
    const first = entry();
    await stores.journal.create(first);
    cosmosProxy.plan({ on: CREATE, faults: [fault] });
    const ours = entry({ job_id: first.job_id });
    expect(await storesUnder(fault).journal.create(ours)).toBe("exists");
    expect(await stores.journal.read(first.job_id, "1")).toEqual(first);
  });

  test("after a lost answer costs one create and one read more", async () => {
    cosmosProxy.plan({ on: CREATE, faults: [{ commits: true, answer: "cut" }] });
    await stores.journal.create(entry());
    expect(requests).toEqual(["journal.create lost", "journal.create 409", "journal.read 200"]);
    expect(cosmosProxy.seen).toHaveLength(3);
  });

  test("survives a lost answer, throttling and a lost read one after the other", async () => {
    cosmosProxy.plan({
      on: CREATE,
      faults: [
        { commits: true, answer: "cut" },
        { commits: false, answer: 429, headers: { "x-ms-retry-after-ms": "300" } },
      ],
    });
    cosmosProxy.plan({ on: READ, faults: [{ commits: true, answer: "cut" }] });
    expect(await stores.journal.create(entry())).toBe("created");
    expect(requests).toEqual([
      "journal.create lost",
      "journal.create 429",
      "journal.create 409",
      "journal.read lost",
      "journal.create 409",
      "journal.read 200",
    ]);
    expect(waitedMs).toBeGreaterThan(300);
  });

  test("a 409 whose document is not seen yet is asked again", async () => {
    cosmosProxy.plan({ on: CREATE, faults: [{ commits: true, answer: "cut" }] });
    cosmosProxy.plan({ on: READ, faults: [{ commits: false, answer: 404 }] });
    expect(await stores.journal.create(entry())).toBe("created");
  });

  test.each([429, 449])("is tried again after %d, and each try is seen", async (status) => {
    const refusal: Fault = { commits: false, answer: status };
    cosmosProxy.plan({ on: CREATE, faults: [refusal, refusal, refusal] });
    expect(await stores.journal.create(entry())).toBe("created");
    expect(requests).toEqual([
      ...Array.from({ length: 3 }, () => `journal.create ${status}`),
      "journal.create 201",
    ]);
    expect(cosmosProxy.seen).toHaveLength(4);
  });

  test("gives up on lasting throttling with a retryable error", async () => {
    const faults = Array.from({ length: 20 }, (): Fault => ({ commits: false, answer: 429 }));
    cosmosProxy.plan({ on: CREATE, faults });
    const error = await thrownBy(() => stores.journal.create(entry()));
    expect(error.code).toBe("STORE_THROTTLED");
    expect(error.retryable).toBe(true);
    expect(cosmosProxy.seen).toHaveLength(8);
  });

  test("does not wait longer than its bound when the service asks for it", async () => {
    const headers = { "x-ms-retry-after-ms": "60000" };
    cosmosProxy.plan({ on: CREATE, faults: [{ commits: false, answer: 429, headers }] });
    expect((await thrownBy(() => stores.journal.create(entry()))).code).toBe("STORE_THROTTLED");
    expect(waitedMs).toBe(0);
  });

  test("gives up on a store that is away with a retryable error, bounded in tries", async () => {
    const faults = Array.from({ length: 20 }, (): Fault => ({ commits: false, answer: "cut" }));
    cosmosProxy.plan({ on: CREATE, faults });
    const error = await thrownBy(() => stores.journal.create(entry()));
    expect([error.code, error.retryable]).toEqual(["STORE_UNAVAILABLE", true]);
    expect(cosmosProxy.seen).toHaveLength(8);
  });

  test.each([
    [403, "ACCESS_DENIED", true],
    [401, "ACCESS_DENIED", true],
    [413, "LIMIT_EXCEEDED", false],
    [400, "INTERNAL", false],
  ] as const)("is not tried again after %d", async (answer, code, retryable) => {
    cosmosProxy.plan({ on: CREATE, faults: [{ commits: false, answer }] });
    const error = await thrownBy(() => stores.journal.create(entry()));
    expect([error.code, error.retryable]).toEqual([code, retryable]);
    expect(cosmosProxy.seen).toHaveLength(1);
  });
});

describe("a replace", () => {
  test.each(LOST)("succeeds after %s and answers the etag that stands", async (_name, fault) => {
    const first = job();
    await stores.jobs.create(first);
    const etag = (await stores.jobs.read(first.job_id))?.etag ?? "";
    cosmosProxy.plan({ on: REPLACE, faults: [fault] });
    const second = { ...first, seq: 1, write_id: randomUUID() };
    const answer = await storesUnder(fault).jobs.replace(second, etag);
    const stands = await stores.jobs.read(first.job_id);
    expect(stands?.document).toEqual(second);
    expect(answer).toEqual({ etag: stands?.etag });
  });

  test.each(LOST)("is a conflict where another came first, after %s", async (_name, fault) => {
    const first = job();
    await stores.jobs.create(first);
    const etag = (await stores.jobs.read(first.job_id))?.etag ?? "";
    const other = { ...first, seq: 1, write_id: randomUUID() };
    await stores.jobs.replace(other, etag);
    cosmosProxy.plan({ on: REPLACE, faults: [fault] });
    const ours = { ...first, seq: 2, write_id: randomUUID() };
    expect(await storesUnder(fault).jobs.replace(ours, etag)).toBe("conflict");
    expect((await stores.jobs.read(first.job_id))?.document).toEqual(other);
  });
});

describe("a read", () => {
  test.each(LOST)("succeeds after %s, with one request more", async (_name, fault) => {
    const document = entry();
    await stores.journal.create(document);
    const reader = storesUnder(fault);
    requests.length = 0;
    cosmosProxy.plan({ on: READ, faults: [fault] });
    expect(await reader.journal.read(document.job_id, "1")).toEqual(document);
    if (fault.answer !== "silence") expect(requests).toHaveLength(2);
  });

  test("a replica behind the session is asked again", async () => {
    const document = entry();
    await stores.journal.create(document);
    const headers = { "x-ms-substatus": "1002" };
    cosmosProxy.plan({ on: READ, faults: [{ commits: false, answer: 404, headers }] });
    expect(await stores.journal.read(document.job_id, "1")).toEqual(document);
  });

  test("a missing container is an error, not an absent document", async () => {
    const headers = { "x-ms-substatus": "1003" };
    cosmosProxy.plan({ on: READ, faults: [{ commits: false, answer: 404, headers }] });
    const error = await thrownBy(() => stores.journal.read("a-job", "1"));
    expect([error.code, error.retryable]).toEqual(["RESOURCE_MISSING", true]);
    expect(cosmosProxy.seen).toHaveLength(1);
  });

  test("a stored document without our members is refused by name", async () => {
    const document = entry({ schema: 0 });
    await stores.journal.create(document);
    const error = await thrownBy(() => stores.journal.read(document.job_id, "1"));
    expect(error.code).toBe("DOCUMENT_INVALID");
    expect(error.message).toContain(`${document.job_id}/1": schema`);
  });
});

test("a list and a due query survive lost answers and throttling", async () => {
  const document = job({ wake_at: "2026-01-01T00:00:00.000Z" });
  await stores.jobs.create(document);
  const faults: Fault[] = [
    { commits: true, answer: "cut" },
    { commits: true, answer: "cut" },
    { commits: false, answer: 429 },
    { commits: false, answer: 429 },
  ];
  cosmosProxy.plan({ on: CREATE, faults });
  expect((await stores.jobs.list({ limit: 5 })).documents).toHaveLength(1);
  cosmosProxy.plan({ on: CREATE, faults });
  const { job_id, wake_at } = document;
  expect(await stores.jobs.due("2027-01-01T00:00:00.000Z", 5)).toEqual([{ job_id, wake_at }]);
});

test("a claim whose answers are lost is answered with the document that stands", async () => {
  const first = definition();
  cosmosProxy.plan({ on: CREATE, faults: [{ commits: true, answer: "cut" }] });
  expect(await stores.definitions.claim(first)).toEqual(first);
  cosmosProxy.plan({ on: READ, faults: [{ commits: true, answer: 503 }] });
  expect(await stores.definitions.claim({ ...first, write_id: "w2" })).toEqual(first);
});

describe("the queue", () => {
  test("a message is sent although an answer was lost", async () => {
    queueProxy.plan({ on: /^POST .*\/messages/, faults: [{ commits: false, answer: 503 }] });
    await queue.send(message(), 0);
    expect(await queue.oldest()).toBeDefined();
  });

  test("a queue that stays away is a retryable error, bounded in tries", async () => {
    const faults = Array.from({ length: 20 }, (): Fault => ({ commits: false, answer: 503 }));
    queueProxy.plan({ on: /./, faults });
    const error = await thrownBy(() => queue.send(message(), 0));
    expect([error.code, error.retryable]).toEqual(["QUEUE_UNAVAILABLE", true]);
    expect(queueProxy.seen.length).toBeLessThanOrEqual(3);
    expect(error.message).toContain("503");
  });
});

describe("the administration", () => {
  test("an identity that may not create containers may not rebuild either", async () => {
    cosmosProxy.plan({ on: /^POST .*\/colls$/, faults: [{ commits: false, answer: 403 }] });
    expect(await admin.mayRebuild()).toBe(false);
    expect(cosmosProxy.seen.filter((line) => line.startsWith("DELETE"))).toEqual([]);
  });

  test("the probe container is deleted again", async () => {
    expect(await admin.mayRebuild()).toBe(true);
    const deleted = cosmosProxy.seen.filter((line) => line.startsWith("DELETE"));
    expect(deleted).toEqual([expect.stringContaining("/colls/holdfast-probe-")]);
  });

  test("a rebuild goes on after a statement that failed, and reports it", async () => {
    cosmosProxy.plan({ on: /^DELETE .*\/colls\/jobs/, faults: [{ commits: false, answer: 403 }] });
    queueProxy.plan({ on: /^DELETE .*poison/, faults: [{ commits: false, answer: 403 }] });
    const document = entry();
    await stores.journal.create(document);
    const reports = await admin.rebuild();
    const failed = reports.filter(({ ok }) => !ok);
    expect(failed.map(({ statement }) => statement)).toEqual([
      "clear queue holdfast-work-poison",
      "drop container jobs",
    ]);
    for (const { error } of failed) expect(error).toMatch(/403/);
    expect(await stores.journal.read(document.job_id, "1")).toBeUndefined();
  });

  test("a drop whose answer was lost counts as done", async () => {
    const lost: Fault = { commits: true, answer: "cut" };
    cosmosProxy.plan({ on: /^DELETE .*\/colls\/jobs/, faults: [lost] });
    expect((await admin.rebuild()).filter(({ ok }) => !ok)).toEqual([]);
  });

  test("readiness names what does not answer and why", async () => {
    cosmosProxy.plan({ on: /^GET .*\/colls\/jobs$/, faults: [{ commits: false, answer: 403 }] });
    const checks = await admin.check();
    expect(checks.find(({ name }) => name === "jobs")?.error).toContain("403");
    expect(checks.filter(({ error }) => error !== undefined)).toHaveLength(1);
  });
});

test("making the adapters connects to nothing", async () => {
  const nowhere = "http://127.0.0.1:1";
  const storage = `AccountName=a;AccountKey=YQ==;QueueEndpoint=${nowhere}/a`;
  const settings = emulators.settings({ COSMOS_ENDPOINT: nowhere, AzureWebJobsStorage: storage });
  const cosmos = cosmosHandle({ connection: settings.cosmos, database: "x" });
  const queues = queueHandle({ connection: settings.queues });
  const away = cosmosStores(cosmos, pace);
  const error = await thrownBy(() => away.journal.read("a-job", "1"));
  expect([error.code, error.retryable]).toEqual(["STORE_UNAVAILABLE", true]);
  const unsent = await thrownBy(() => storageQueue(queues).send(message(), 0));
  expect(unsent.code).toBe("QUEUE_UNAVAILABLE");
  const checks = await storeAdmin({ cosmos, queues, pace }).check();
  expect(checks.every(({ error: problem }) => problem !== undefined)).toBe(true);
});
