// A text of 64 KiB that takes a second to read: the app goes on answering everybody else, says in
// about a second that the text is bad, and takes the next one.
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { appFixture } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";

const HOSTILE = "[]}".repeat(Math.floor((64 * 1024) / 3));
const GOOD = `workflow_id: fine
version: 1
nodes:
  s: { type: start, next: e }
  e: { type: end }
`;
/** The limit of the thread, and what its end and the way there and back may take. */
const ANSWER_MS = 1_500;

let fixture: AppFixture;
let app: StartedApp;

beforeAll(async () => {
  fixture = await appFixture();
  app = await fixture.start();
});
afterAll(async () => {
  await fixture.stop();
});

async function validated(body: string) {
  const began = performance.now();
  const answer = await app.call("POST", "/workflows/validate", { body });
  return { ...answer, ms: performance.now() - began };
}

test("others are answered while a hostile text is read, and it is answered itself", async () => {
  // The thread is started by the first text of a process.
  expect((await validated(GOOD)).body["valid"]).toBe(true);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  let isAnswered = false;
  const reading = validated(HOSTILE).finally(() => {
    isAnswered = true;
  });
  let others = 0;
  while (!isAnswered) {
    expect((await app.get("/health/live")).status).toBe(200);
    others += 1;
  }
  delay.disable();
  const { body, status, ms } = await reading;
  expect({ status, valid: body["valid"] }).toEqual({ status: 200, valid: false });
  console.log(
    `answered after ${ms.toFixed(0)} ms; ${others} others meanwhile; event loop late by at most ` +
      `${(delay.max / 1e6).toFixed(0)} ms, 99 % within ${(delay.percentile(99) / 1e6).toFixed(0)}`,
  );
  // Had it been read on the main thread, one at most would have been answered before it.
  expect(others).toBeGreaterThan(5);
  expect(ms).toBeLessThan(3 * ANSWER_MS);
  const next = await validated(GOOD);
  expect(next.body["valid"]).toBe(true);
});
