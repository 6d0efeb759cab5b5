// One attempt over time: its end, its abort, and nothing that leaks past either.
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { TerminalError, defineHandler } from "../../../src/runtime/handlers.ts";
import { runAttempt } from "../../../src/runtime/run-handler.ts";
import { turningClock } from "../../support/manual-clock.ts";
import { job, settled, start, thrower } from "../../support/raw-attempt.ts";
import type { Run } from "../../support/raw-attempt.ts";

describe("the end of time", () => {
  test("an attempt that takes too long is timed out at once, with what it logged", async () => {
    const clock = turningClock();
    let reason: unknown;
    const outcome = start(
      ({ signal, log }) => {
        log("began");
        signal.addEventListener("abort", () => {
          reason = signal.reason;
          log("heard of it");
        });
        return new Promise(() => {});
      },
      { clock },
    );
    await settled();
    clock.advance(9_999);
    expect(reason).toBeUndefined();
    clock.advance(1);
    expect(await outcome).toEqual({ kind: "timed_out", log: ["began"] });
    expect(reason).toMatchObject({ name: "TimeoutError" });
    expect(clock.pending()).toBe(0);
  });

  test("what an abandoned handler still does changes nothing", async () => {
    const clock = turningClock();
    let fail = (_error: Error): void => {};
    let write = (_line: string): void => {};
    const outcome = start(
      ({ log }) => {
        write = log;
        return new Promise((_resolve, reject) => {
          fail = reject;
        });
      },
      { clock },
    );
    await settled();
    clock.advance(10_000);
    const first = await outcome;
    write("late");
    fail(new Error("late, and unhandled unless somebody listens"));
    await settled();
    expect(first).toEqual({ kind: "timed_out", log: [] });
  });

  test("an answer at the very moment of the time-out does not replace it", async () => {
    const clock = turningClock();
    const outcome = start(
      ({ signal }) =>
        new Promise((resolve) => signal.addEventListener("abort", () => resolve("quick"))),
      { clock },
    );
    await settled();
    clock.advance(10_000);
    expect(await outcome).toMatchObject({ kind: "timed_out" });
  });

  test("an attempt that ends leaves no timer and no listener", async () => {
    const clock = turningClock();
    const { signal } = new AbortController();
    for (const run of [() => 1, thrower]) await start(run, { clock, signal });
    expect(clock.pending()).toBe(0);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});

describe("an abort from outside", () => {
  function aborting(run: Run, graceMs?: number) {
    const clock = turningClock();
    const controller = new AbortController();
    const setting = { clock, signal: controller.signal };
    const outcome = start(run, graceMs === undefined ? setting : { ...setting, graceMs });
    return { clock, controller, outcome };
  }

  test("before the start means that the handler never runs", async () => {
    let ran = false;
    const outcome = await start(() => { ran = true; }, { signal: AbortSignal.abort() });
    expect({ outcome, ran }).toEqual({ outcome: { kind: "aborted", log: [] }, ran: false });
  });

  test("reaches the handler with its reason and ends after the grace", async () => {
    let reason: unknown;
    const { clock, controller, outcome } = aborting(({ signal, log }) => {
      signal.addEventListener("abort", () => {
        ({ reason } = signal);
        log("stopping");
      });
      return new Promise(() => {});
    });
    let ended = false;
    void outcome.then(() => { ended = true; });
    await settled();
    controller.abort("cancelled");
    clock.advance(1_999);
    await settled();
    expect({ reason, ended }).toEqual({ reason: "cancelled", ended: false });
    clock.advance(1);
    expect(await outcome).toEqual({ kind: "aborted", log: ["stopping"] });
    expect(clock.pending()).toBe(0);
  });

  test("an answer within the grace counts as completed", async () => {
    const { clock, controller, outcome } = aborting(({ signal }) => new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve({ saved: true }));
    }));
    await settled();
    controller.abort();
    expect(await outcome).toMatchObject({ kind: "completed", output: { saved: true } });
    expect(clock.pending()).toBe(0);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  test.each([new TerminalError("stopped"), new DOMException("x", "AbortError"), "text"])(
    "an error within the grace is the abort's echo: %s",
    async (error) => {
      const { controller, outcome } = aborting(({ signal }) => new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(error));
      }));
      await settled();
      controller.abort();
      expect(await outcome).toEqual({ kind: "aborted", log: [] });
    },
  );

  test("a time-out during the grace is still an abort", async () => {
    const { clock, controller, outcome } = aborting(() => new Promise(() => {}));
    await settled();
    clock.advance(9_000);
    controller.abort();
    clock.advance(1_000);
    expect(await outcome).toMatchObject({ kind: "aborted" });
    expect(clock.pending()).toBe(0);
  });

  test("the grace can be set", async () => {
    const { clock, controller, outcome } = aborting(() => new Promise(() => {}), 50);
    await settled();
    controller.abort();
    clock.advance(50);
    expect(await outcome).toMatchObject({ kind: "aborted" });
  });

  test("an abort after the end changes nothing", async () => {
    const { controller, outcome } = aborting(() => "done");
    const first = await outcome;
    controller.abort();
    expect(first).toEqual({ kind: "completed", output: "done", log: [] });
  });
});

describe("what the handler is given", () => {
  test("number, key and job are passed on", async () => {
    const outcome = await start(({ attempt, idempotencyKey, job: given }) => ({
      attempt,
      idempotencyKey,
      given: { ...given },
    }));
    expect(outcome).toMatchObject({
      output: { attempt: 3, idempotencyKey: "j1/n", given: job },
    });
  });

  test("changing the params or the job does not reach the caller", async () => {
    const params = { list: [1], deep: { a: 1 } };
    await start(
      (context) => {
        const given = context.params as { list: number[]; deep: Record<string, unknown> };
        given.list.push(2);
        given.deep["a"] = "changed";
        (context.job as { node_id: string }).node_id = "other";
      },
      { params },
    );
    expect(params).toEqual({ list: [1], deep: { a: 1 } });
    expect(job.node_id).toBe("n");
  });

  test("params that do not fit fail with every pointer and are not retried", async () => {
    const handler = defineHandler({
      name: "strict",
      version: "1",
      params: z.strictObject({ "a/b": z.string(), n: z.array(z.int()) }),
      output: z.unknown(),
      run: () => 1,
    });
    const outcome = await runAttempt({
      handler,
      params: { "a/b": 1, n: [1, "x"] },
      attempt: 1,
      idempotencyKey: "k",
      job,
      timeoutSeconds: 1,
      signal: new AbortController().signal,
      clock: turningClock(),
    });
    expect(outcome).toMatchObject({ kind: "failed", retryable: false });
    const message = outcome.kind === "failed" ? outcome.error.message : "";
    expect(outcome).toMatchObject({ error: { code: "PARAMS_INVALID" } });
    expect(message).toMatch(/^params: \/a~1b: .*; \/n\/1: /);
  });
});
