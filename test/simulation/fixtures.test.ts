// Schedules that once found a defect, shrunk to what it took. Each is replayed as it is kept: with
// its own definition and exactly its faults.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { keep, ofShape } from "./definitions.ts";
import { fixtureOf } from "./fixture.ts";
import type { Fixture } from "./fixture.ts";
import { randomPlan } from "./random-plan.ts";
import { runPlan } from "./schedule.ts";

const FOLDER = path.join(import.meta.dirname, "fixtures");
const names = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

test("there are fixtures", () => {
  expect(names.length).toBeGreaterThan(3);
});

test.each(names)("%s holds now", async (name) => {
  const text = readFileSync(path.join(FOLDER, name), "utf8");
  const { plan, shapes, reason } = JSON.parse(text) as Fixture;
  for (const [id, shape] of Object.entries(shapes)) keep(id, ofShape(id, shape));
  const { violation, jobs } = await runPlan(plan);
  expect(violation, reason).toBeUndefined();
  expect(jobs).toBeGreaterThan(0);
});

test("a fixture runs as its schedule did", async () => {
  const ran = await runPlan(randomPlan(12, "all"), { isTraced: true });
  const kept = fixtureOf({ plan: ran.plan, violation: "" });
  for (const [id, shape] of Object.entries(kept.shapes)) keep(id, ofShape(id, shape));
  const again = await runPlan(kept.plan, { isTraced: true });
  expect(Object.keys(kept.shapes)).not.toHaveLength(0);
  expect(again.trace).toEqual(ran.trace);
});
