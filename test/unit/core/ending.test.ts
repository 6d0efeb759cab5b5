// The one path of failure, cancel and deadline, and what a job's last entry holds.
import { expect, test } from "vitest";
import { emptyWorkflow } from "../../../src/core/create-job.ts";
import { addSeconds } from "../../../src/core/instant.ts";
import { utf8Bytes } from "../../../src/core/json.ts";
import { aborted, completed, definition, end, failed, start, task } from "../../support/build.ts";
import { fanOut, numbers } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";

/** Two tasks side by side, each with a successor. */
function pair(more: Readonly<Record<string, unknown>> = {}): TestEngine {
  const engine = new TestEngine(
    definition(
      {
        s: start("a", "b"),
        a: task({ next: "c", retry: { initial_delay_seconds: 1 } }),
        b: task({ next: "d" }),
        c: task(),
        d: end(),
      },
      more,
    ),
  );
  engine.receiveAt(0);
  return engine;
}

function bothRunning(more: Readonly<Record<string, unknown>> = {}): TestEngine {
  const engine = pair(more);
  engine.receiveAt(0);
  expect(engine.running).toHaveLength(2);
  return engine;
}

test("a failed node makes the job cancelling; it is failed when what runs has answered", () => {
  const engine = bothRunning();
  engine.finish(engine.running[0], failed("BROKEN", false));
  expect(engine.job.status).toBe("cancelling");
  expect(engine.statuses()).toMatchObject({ b: "running", c: "cancelled", d: "cancelled" });
  expect(engine.of("job_cancelling")[0]).toMatchObject({
    becomes: "failed",
    error: { code: "BROKEN", node_id: "a" },
  });
  engine.finish(engine.running[0], completed("kept"));
  expect(engine.job).toMatchObject({ status: "failed", error: { code: "BROKEN", node_id: "a" } });
  expect(engine.results()).toMatchObject({ b: "kept" });
  expect(engine.statuses()).toMatchObject({ b: "completed", d: "cancelled" });
});

// Defect 16 of peers.md 3.7: a cancel changed one row and left what ran alone.
test("a cancel stops what has not begun, waits for what runs, and starts nothing more", () => {
  const engine = pair();
  engine.cancel("no longer needed");
  expect(engine.job.status).toBe("cancelling");
  expect(engine.statuses()).toMatchObject({ a: "running", b: "cancelled", c: "cancelled" });
  engine.receiveAt(0);
  expect(engine.running).toHaveLength(1);
  engine.finish(engine.running[0], aborted);
  expect(engine.job).toMatchObject({
    status: "cancelled",
    error: { code: "JOB_CANCELLED", message: "cancelled by ada: no longer needed" },
  });
  expect(engine.job.error).not.toHaveProperty("node_id");
});

test("a job that is not yet moved on is cancelled at once", () => {
  const engine = new TestEngine(definition({ s: start("a"), a: task() }));
  const events = engine.cancel();
  expect(events.at(-1)).toMatchObject({ type: "job_cancelled" });
  expect(engine.job.error?.message).toBe("cancelled by ada");
  expect(engine.receiveAt(0)).toEqual([]);
});

test("a second cancel, and a cancel of a failing job, change nothing", () => {
  const engine = bothRunning();
  engine.cancel();
  expect(engine.cancel("again")).toEqual([]);
  const failing = bothRunning();
  failing.finish(failing.running[0], failed("BROKEN", false));
  expect(failing.cancel()).toEqual([]);
  failing.finish(failing.running[0], aborted);
  expect(failing.job.status).toBe("failed");
});

test("cancel and the last completion race: whichever is recorded first wins", () => {
  const nodes = { s: start("a"), a: task() };
  const won = new TestEngine(definition(nodes)).run();
  expect(won.cancel()).toEqual([]);
  expect(won.job.status).toBe("completed");
  const lost = new TestEngine(definition(nodes));
  lost.step();
  lost.cancel();
  lost.finish(lost.running[0], completed("kept"));
  expect(lost.job.status).toBe("cancelled");
  expect(lost.results()).toMatchObject({ a: "kept" });
});

test("a cancelling job tries nothing again, whether it failed, timed out or was lost", () => {
  const failing = pair();
  failing.cancel();
  failing.finish(failing.running[0], failed());
  expect(failing.node("a").status).toBe("failed");
  expect(failing.job.status).toBe("cancelled");
  const lost = pair();
  lost.cancel();
  lost.running = [];
  lost.queue = [];
  lost.wake();
  expect(lost.node("a")).toMatchObject({ status: "cancelled", lost: 1 });
  expect(lost.job.status).toBe("cancelled");
});

test("at the deadline the job ends as failed, whatever it waits for", () => {
  const waiting = pair({ timeout_seconds: 3 });
  waiting.running = [];
  waiting.queue = [];
  expect(waiting.wakeAt()).toBe(addSeconds(waiting.job.created_at, 3));
  waiting.wake();
  expect(waiting.job.status).toBe("cancelling");
  waiting.wake();
  expect(waiting.job).toMatchObject({ status: "failed", error: { code: "DEADLINE_EXCEEDED" } });
});

test("past the deadline nothing starts, and an outcome is still kept", () => {
  const engine = pair({ timeout_seconds: 3 });
  engine.tick(3);
  engine.receiveAt(0);
  expect(engine.running).toHaveLength(1);
  expect(engine.node("b")).toMatchObject({ status: "cancelled", attempt: 0 });
  engine.finish(engine.running[0], completed("late"));
  expect(engine.job).toMatchObject({ status: "failed", error: { code: "DEADLINE_EXCEEDED" } });
  expect(engine.results()).toMatchObject({ a: "late" });
});

test("a job first looked at after its deadline ends in that one entry", () => {
  const engine = new TestEngine(definition({ s: start("a"), a: task() }, { timeout_seconds: 1 }));
  engine.tick(5);
  const types = engine.receiveAt(0).map(({ type }) => type);
  expect(types).toEqual(["job_cancelling", "node_cancelled", "node_cancelled", "job_failed"]);
});

test("a refused snapshot fails the job with its code and keeps what was done", () => {
  const engine = new TestEngine(
    definition({ s: start("a", "b"), a: task({ params: { v: 1 } }), b: task() }),
  );
  engine.step();
  engine.finish();
  engine.workflow = emptyWorkflow(engine.job);
  const error = { code: "SNAPSHOT_TAMPERED", message: "m".repeat(9000) };
  engine.commit({ type: "snapshot_refused", error });
  expect(engine.job.status).toBe("failed");
  expect(utf8Bytes(engine.job.error?.message ?? "")).toBeLessThanOrEqual(4096);
  expect(engine.results()).toMatchObject({ a: { v: 1 } });
  expect(engine.node("b").status).toBe("cancelled");
});

test("a refused snapshot waits for what runs, chunks included", () => {
  const engine = new TestEngine(
    definition({ s: start("a", "f"), a: task(), f: fanOut() }),
    { inputs: { items: numbers(3) } },
  );
  engine.receiveAt(0);
  engine.receiveAt(0);
  expect(engine.running).toHaveLength(2);
  engine.workflow = emptyWorkflow(engine.job);
  const error = { code: "SNAPSHOT_INVALID", message: "no" };
  engine.commit({ type: "snapshot_refused", error });
  engine.finish(engine.running[0], completed(1));
  expect(engine.job.status).toBe("cancelling");
  engine.finish(engine.running[0], completed(1));
  expect(engine.job.status).toBe("cancelling");
  engine.wake();
  expect(engine.job.status).toBe("failed");
});

test("texts that others give are cut before they are stored", () => {
  const engine = pair();
  const long = "ü".repeat(5000);
  engine.commit({ type: "cancel_requested", requested_by: long, reason: "\ud800" });
  const [event] = engine.of("job_cancelling");
  expect(utf8Bytes(event?.requested_by ?? "")).toBeLessThanOrEqual(256);
  expect(utf8Bytes(event?.error.message ?? "")).toBeLessThanOrEqual(1024);
  const other = pair();
  const error = { code: "C".repeat(999), message: "\udc00" };
  const outcome = { kind: "failed", error, retryable: false, log: [] } as const;
  other.finish(other.running[0], outcome);
  expect(other.node("a").error).toEqual({ code: `${"C".repeat(253)}…`, message: "\ufffd" });
});

test("a rescue node takes over, and the failure does not end the job", () => {
  const engine = new TestEngine(
    definition({
      s: start("a"),
      a: task({ handler: "bad", on_error: "r", next: "b" }),
      b: end(),
      r: task({ params: { why: "{{ nodes.a.error.code }}", was: "{{ nodes.a.status }}" } }),
    }),
    { handlers: { bad: () => failed("NOPE", false) } },
  ).run();
  expect(engine.job.status).toBe("completed");
  expect(engine.results()).toMatchObject({ r: { why: "NOPE", was: "failed" } });
  expect(engine.results()).not.toHaveProperty("a");
});
