// The retry wrapper alone: how long it waits, when it stops, what it makes of each failure.
import { expect, test } from "vitest";
import { failureOf, storeError, UnansweredRequest } from "../../../src/azure/cosmos-failure.ts";
import { createSettled, retrying } from "../../../src/azure/cosmos-request.ts";
import { WorkflowError } from "../../../src/core/error.ts";

function vendorError(code: number | string, more: object = {}): Error {
  return Object.assign(new Error(`vendor ${code}`), { code, ...more });
}

function fakePace(fraction = 0.5): {
  readonly waits: number[];
  readonly pace: Parameters<typeof retrying>[2];
  readonly pass: (ms: number) => void;
} {
  const waits: number[] = [];
  let nowMs = 0;
  return {
    waits,
    pass: (ms) => (nowMs += ms),
    pace: {
      nowMs: () => nowMs,
      wait: async (ms) => {
        waits.push(ms);
        nowMs += ms;
      },
      fraction: () => fraction,
    },
  };
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

test("delays double and stay within their bound", async () => {
  const { waits, pace } = fakePace();
  await thrownBy(() => retrying("read", () => Promise.reject(vendorError(503)), pace));
  expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1125]);
});

test("a wait is never shorter than the service asked for", async () => {
  const { waits, pace } = fakePace(0);
  const failures = [vendorError(429, { retryAfterInMs: 700 }), vendorError(429)];
  const answer = await retrying(
    "read",
    async () => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return "done";
    },
    pace,
  );
  expect([answer, ...waits]).toEqual(["done", 700, 40]);
});

test("no try begins after the bound in time, but a lost answer is asked for once", async () => {
  const { pace, pass } = fakePace();
  let tries = 0;
  const slow = () => {
    tries += 1;
    pass(10_000);
    return Promise.reject(vendorError("TimeoutError"));
  };
  expect((await thrownBy(() => retrying("create", slow, pace))).code).toBe("STORE_UNAVAILABLE");
  expect(tries).toBe(2);
});

test("an error of ours passes through untouched, without another try", async () => {
  const { waits, pace } = fakePace();
  const ours = new WorkflowError("LIMIT_EXCEEDED", "too large");
  expect(await thrownBy(() => retrying("read", () => Promise.reject(ours), pace))).toBe(ours);
  expect(waits).toEqual([]);
});

test.each([
  [400, "rejected"],
  [401, "denied"],
  [403, "denied"],
  [404, "missing"],
  [408, "ambiguous"],
  [409, "exists"],
  [410, "ambiguous"],
  [412, "conflict"],
  [413, "too_large"],
  [429, "throttled"],
  [449, "throttled"],
  [500, "ambiguous"],
  [503, "ambiguous"],
  ["ECONNRESET", "ambiguous"],
  ["PARSE_ERROR", "ambiguous"],
  ["TimeoutError", "ambiguous"],
] as const)("the vendor's %s is %s, wrapped or not", (code, verdict) => {
  expect(failureOf(vendorError(code)).verdict).toBe(verdict);
  expect(failureOf(new UnansweredRequest(vendorError(code))).verdict).toBe(verdict);
});

test.each([undefined, null, "text", 7, {}])("whatever is thrown is judged: %j", (thrown) => {
  expect(failureOf(thrown).verdict).toBe("ambiguous");
  expect(storeError("read", thrown).code).toBe("STORE_UNAVAILABLE");
});

test("an error tells what, where and the answer in one short line", () => {
  const long = vendorError(503, { message: `Service is away\nActivityId: 1\n${"x".repeat(9999)}` });
  const error = storeError("create in journal", long);
  expect(error.message).toBe("create in journal: 503 Service is away");
  expect(error.cause).toBe(long);
});

test("a create that was never seen to arrive says exists at once on 409", async () => {
  const { pace } = fakePace();
  let reads = 0;
  const outcome = await createSettled(
    {
      what: "create",
      writeId: "w",
      create: () => Promise.reject(vendorError(409)),
      readWriteId: async () => {
        reads += 1;
        return "w";
      },
    },
    pace,
  );
  expect([outcome, reads]).toEqual(["exists", 0]);
});
