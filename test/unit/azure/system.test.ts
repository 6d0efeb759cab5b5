// The real clock and randomness: forms, order and spread.
import { expect, test } from "vitest";
import { systemClock, systemRandomness } from "../../../src/azure/system.ts";
import { isInstant } from "../../../src/core/instant.ts";
import { waitFor } from "../../support/wait-until.ts";

test("now is an instant of this moment", () => {
  const before = Date.now();
  const now = systemClock.now();
  expect(isInstant(now)).toBe(true);
  expect(Date.parse(now)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(now)).toBeLessThanOrEqual(Date.now());
});

test("a callback runs once, one taken back never", async () => {
  let calls = 0;
  const cancel = systemClock.after(1, () => (calls += 100));
  cancel();
  systemClock.after(2, () => (calls += 1));
  await waitFor(() => calls > 0, { what: "the callback ran" });
  expect(calls).toBe(1);
});

test("a delay longer than a timer can hold does not fire at once", async () => {
  let early = false;
  const cancel = systemClock.after(2 ** 40, () => (early = true));
  let other = false;
  systemClock.after(5, () => (other = true));
  await waitFor(() => other, { what: "a short timer ran" });
  cancel();
  expect(early).toBe(false);
});

test("a uuid is version 7, carries its time and sorts by it", () => {
  const uuid = systemRandomness.uuid("2026-11-22T10:00:00.000Z");
  expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const milliseconds = Number.parseInt(uuid.replaceAll("-", "").slice(0, 12), 16);
  expect(milliseconds).toBe(Date.parse("2026-11-22T10:00:00.000Z"));
  expect(uuid < systemRandomness.uuid("2026-11-22T10:00:00.001Z")).toBe(true);
});

test("ids never repeat", () => {
  const uuids = Array.from({ length: 1000 }, () => systemRandomness.uuid(systemClock.now()));
  const writeIds = Array.from({ length: 1000 }, () => systemRandomness.writeId());
  expect(new Set([...uuids, ...writeIds]).size).toBe(2000);
  for (const writeId of writeIds) expect(writeId).toMatch(/^[A-Za-z0-9_-]{12}$/);
});

test("fractions lie in [0, 1) and are spread", () => {
  const fractions = Array.from({ length: 1000 }, () => systemRandomness.fraction());
  expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...fractions)).toBeLessThan(1);
  const mean = fractions.reduce((sum, one) => sum + one, 0) / fractions.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.1);
});
