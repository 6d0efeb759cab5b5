// A job ends as it was pinned, whatever happens to its definition: edited, broken or deleted before
// its first message or between any two nodes. New jobs get what the folder holds then.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Ended } from "../support/app-client.ts";
import { HOLD_QUEUE, appFixture } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";
import { startGate } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { waitFor } from "../support/wait-until.ts";

const JOBS = 20;
const DOORS = ["a", "b", "c"] as const;

let fixture: AppFixture;
let gate: Gate;

beforeAll(async () => {
  [fixture, gate] = await Promise.all([appFixture(), startGate()]);
});
afterAll(async () => {
  await fixture.stop();
  await gate.close();
});

/** Twenty tasks wait at a door at once, and one more job shall run past them. */
const allow = (): Readonly<Record<string, string>> => ({
  AzureFunctionsJobHost__extensions__queues__newBatchThreshold: "32",
  HOLDFAST_HTTP_ALLOW: `127.0.0.1:${gate.port}`,
});

/** Says its version at every step; between two steps stands a door. */
function chain(version: number, doors: readonly string[]): string {
  const nodes = doors.flatMap((door, index) => [
    `  say_${index}:`,
    `    { type: task, handler: echo, params: { message: v${version} }, next: door_${index} }`,
    `  door_${index}:`,
    "    type: task",
    "    handler: http_request",
    `    params: { url: "http://127.0.0.1:${gate.port}/${door}" }`,
    `    next: ${index === doors.length - 1 ? "report" : `say_${index + 1}`}`,
  ]);
  return [
    "workflow_id: pinned",
    `version: ${version}`,
    `vars: { word: v${version} }`,
    "nodes:",
    "  start: { type: start, next: say_0 }",
    ...nodes,
    "  report:",
    "    type: task",
    "    handler: transform",
    "    params:",
    '      input: { word: "{{ vars.word }}", first: "{{ nodes.say_0.output.message }}" }',
    "      output: { word: input.word, first: input.first }",
    "    next: end",
    "  end: { type: end }",
    "",
  ].join("\n");
}

async function submitMany(app: StartedApp, count: number): Promise<readonly string[]> {
  return Promise.all(Array.from({ length: count }, () => app.submit("pinned")));
}

function expectPinned(job: Ended, version: number, digest: string): void {
  const word = `v${version}`;
  expect(job).toMatchObject({
    status: "completed",
    workflow_version: version,
    workflow_digest: digest,
    result_data: {
      say_0: { message: word },
      report: { word, first: word },
      _provenance: { workflow_version: version, workflow_digest: digest, status: "completed" },
    },
  });
}

async function digestOf(app: StartedApp, yaml: string): Promise<string> {
  const { body } = await app.call("POST", "/workflows/validate", { body: yaml });
  expect(body["valid"]).toBe(true);
  return body.workflow_digest;
}

test("twenty jobs end as pinned, the file edited, broken, deleted between nodes", async () => {
  const file = "pinned.yaml";
  const first = chain(1, DOORS);
  const second = chain(2, ["open"]);
  const app = await fixture.start({ env: allow(), workflows: { [file]: first } });
  gate.open("open");
  const ids = await submitMany(app, JOBS);

  await gate.waiting("a", JOBS);
  app.write(file, second);
  const edited = await app.run("pinned");
  gate.open("a");

  await gate.waiting("b", JOBS);
  app.write(file, "workflow_id: pinned\nversion: 2\nnodes: [");
  const broken = await app.post("/jobs", { workflow_id: "pinned" });
  gate.open("b");

  await gate.waiting("c", JOBS);
  app.remove(file);
  const gone = await app.post("/jobs", { workflow_id: "pinned" });
  gate.open("c");

  for (const id of ids) expectPinned(await app.ended(id), 1, await digestOf(app, first));
  expectPinned(edited, 2, await digestOf(app, second));
  expect([broken.status, broken.body.code]).toEqual([422, "DEFINITION_INVALID"]);
  expect([gone.status, gone.body.code]).toEqual([404, "WORKFLOW_NOT_FOUND"]);
  const { body } = await app.get(`/jobs/${ids[0]}/snapshot`);
  expect(body["workflow_source"]).toBe(first);
  await app.stop();
});

test.each([
  ["edited", (app: StartedApp, next: string) => app.write("pinned.yaml", next)],
  ["broken", (app: StartedApp) => app.write("pinned.yaml", "workflow_id: [")],
  ["deleted", (app: StartedApp) => app.remove("pinned.yaml")],
] as const)("jobs accepted before their definition was %s start as pinned", async (how, change) => {
  const first = chain(1, ["open"]);
  const second = chain(2, ["open"]);
  gate.open("open");
  const held = await fixture.start({
    env: { ...allow(), ...HOLD_QUEUE },
    workflows: { "pinned.yaml": first },
  });
  const ids = await submitMany(held, JOBS);
  const digest = await digestOf(held, first);
  change(held, second);
  expect((await held.job(ids[0] ?? "")).status).toBe("pending");
  await held.stop();

  // A process that has never seen the definition: the snapshot is all it has.
  const { folder, database } = held;
  const app = await fixture.start({ env: allow(), folder, database });
  for (const id of ids) expectPinned(await app.ended(id), 1, digest);
  if (how === "edited") expectPinned(await app.run("pinned"), 2, await digestOf(app, second));
  await app.stop();
});

test("an edit without a new number is refused with both digests, after a restart too", async () => {
  const first = chain(1, ["open"]);
  const edited = first.replace("params: { message: v1 }", "params: { message: edited }");
  gate.open("open");
  const app = await fixture.start({ env: allow(), workflows: { "pinned.yaml": first } });
  const job = await app.run("pinned");
  const digests = [await digestOf(app, first), await digestOf(app, edited)];
  app.write("pinned.yaml", edited);
  const expectRefused = async (one: StartedApp): Promise<void> => {
    const { status, body } = await one.post("/jobs", { workflow_id: "pinned" });
    expect([status, body.code]).toEqual([409, "VERSION_CONFLICT"]);
    expect([body["first_digest"], body["this_digest"]]).toEqual(digests);
  };
  await expectRefused(app);
  await app.stop();

  const { folder, database } = app;
  const again = await fixture.start({ env: allow(), folder, database });
  await expectRefused(again);
  expect((await again.get("/jobs")).body["count"]).toBe(1);
  // A comment is no other content; the source has its own digest.
  again.write("pinned.yaml", `# A remark.\n${first}`);
  const remarked = await again.run("pinned");
  expect(remarked.workflow_digest).toBe(job.workflow_digest);
  const sources = [job, remarked].map(
    ({ result_data }) => (result_data["_provenance"] as Record<string, unknown>)["source_digest"],
  );
  expect(sources[0]).not.toBe(sources[1]);
  again.write("pinned.yaml", edited);
  await again.stop();

  const loose = { ...allow(), HOLDFAST_ALLOW_REDEFINE: "true" };
  const relaxed = await fixture.start({ env: loose, folder, database });
  const redefined = await relaxed.run("pinned");
  expect(redefined).toMatchObject({ workflow_digest: digests[1], redefined: true });
  expect(redefined.result_data["_provenance"]).toMatchObject({ redefined: true });
  relaxed.write("pinned.yaml", first);
  const faithful = await relaxed.run("pinned");
  expect(faithful.result_data["_provenance"]).not.toHaveProperty("redefined");
  await relaxed.stop();
});

test("a file that is saved again while jobs are submitted gives each a whole version", async () => {
  const versions = [1, 2, 3, 4, 5];
  gate.open("open");
  const app = await fixture.start({
    env: allow(),
    workflows: { "pinned.yaml": chain(1, ["open"]) },
  });
  const ids: string[] = [];
  for (const version of versions) {
    app.write("pinned.yaml", chain(version, ["open"]));
    const { body } = await app.post("/jobs", { workflow_id: "pinned" });
    expect(body.workflow_version).toBe(version);
    ids.push(body.job_id);
  }
  for (const [index, id] of ids.entries()) {
    const version = versions[index] ?? 0;
    expectPinned(await app.ended(id), version, await digestOf(app, chain(version, ["open"])));
  }
  await waitFor(async () => (await app.get("/jobs?status=completed")).body["count"] === 5, {
    what: "the list shows all five as completed",
  });
  await app.stop();
});
