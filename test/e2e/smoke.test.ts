// The shipped echo_test from HTTP to provenance: accepted, pinned, run from the queue, proved.
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import type { Answer, Ended } from "../support/app-client.ts";
import { SHIPPED_WORKFLOWS, appFixture } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const source = readFileSync(path.join(SHIPPED_WORKFLOWS, "echo_test.yaml"), "utf8");

let fixture: AppFixture;
let app: StartedApp;
let accepted: Answer;
let job: Ended;

beforeAll(async () => {
  fixture = await appFixture();
  app = await fixture.start({ folder: SHIPPED_WORKFLOWS });
  accepted = await app.post("/jobs", {
    workflow_id: "echo_test",
    input_params: { message: "✓ {{ not a template }}", steps: 2 },
    submitted_by: "me",
    correlation_id: "corr-1",
    tags: ["one", "two"],
  });
  job = await app.ended(accepted.body.job_id);
});
afterAll(() => fixture.stop());

test("a submission answers 202 with where to look, when, and the pins", () => {
  const { status, headers, body } = accepted;
  expect(status).toBe(202);
  expect(body.job_id).toMatch(UUID);
  expect(headers.get("location")).toBe(`/api/v1/jobs/${body.job_id}`);
  expect(headers.get("retry-after")).toBe("1");
  expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(body).toMatchObject({ workflow_id: "echo_test", workflow_version: 1, status: "pending" });
  expect(body.workflow_digest).toMatch(DIGEST);
});

test("every link of the answer leads somewhere", async () => {
  const links = accepted.body["links"] as Record<string, string>;
  expect(Object.keys(links).toSorted()).toEqual(
    ["cancel", "events", "provenance", "result", "self", "snapshot", "timeline"],
  );
  for (const [name, link] of Object.entries(links)) {
    const { status } = await app.call(name === "cancel" ? "POST" : "GET", link.slice(7));
    expect([name, status]).toEqual([name, name === "cancel" ? 409 : 200]);
  }
});

test("the job completes with the handler's output", () => {
  const message = "✓ {{ not a template }}";
  expect(job).toMatchObject({ status: "completed", percent_complete: 100, submitted_by: "me" });
  expect(job.result_data["echo"]).toEqual({ message, steps: 2, echoed: true });
  expect(job.nodes.map((node) => [node.node_id, node.type, node.status])).toEqual([
    ["start", "start", "completed"],
    ["echo", "task", "completed"],
    ["end", "end", "completed"],
  ]);
});

test("the stored snapshot is the file's definition, its source the file itself", async () => {
  const { body } = await app.get(`/jobs/${job.job_id}/snapshot`);
  const snapshot = body["workflow_snapshot"] as Record<string, Record<string, object>>;
  const file = parse(source) as Record<string, Record<string, object>>;
  expect(body["workflow_source"]).toBe(source);
  expect(body["inputs"]).toEqual({ message: "✓ {{ not a template }}", steps: 2 });
  expect(snapshot).toMatchObject({
    workflow_id: "echo_test",
    version: 1,
    is_active: true,
    inputs: file["inputs"],
  });
  expect(snapshot["nodes"]?.["echo"]).toMatchObject({ ...file["nodes"]?.["echo"], next: ["end"] });
});

test("the job_created event says what was asked for and by whom", async () => {
  const [created] = await app.events(job.job_id);
  expect(created).toMatchObject({
    seq: 0,
    type: "job_created",
    lane: "job",
    workflow_id: "echo_test",
    workflow_version: 1,
    submitted_by: "me",
    authenticated_as: "key",
    correlation_id: "corr-1",
  });
});

test("provenance is complete and its time is the terminal event's", async () => {
  const events = await app.events(job.job_id);
  const last = events.at(-1);
  const provenance = job.result_data["_provenance"] as Record<string, unknown>;
  expect(last?.type).toBe("job_completed");
  expect(provenance).toEqual({
    workflow_id: "echo_test",
    workflow_version: 1,
    job_id: job.job_id,
    completed_at: last?.at,
    status: "completed",
    workflow_digest: accepted.body.workflow_digest,
    source_digest: expect.stringMatching(DIGEST),
    inputs_digest: expect.stringMatching(DIGEST),
    results_digest: expect.stringMatching(DIGEST),
    engine: expect.stringMatching(/^holdfast@\d+\.\d+\.\d+\+[0-9a-f]{8}$/),
    log_head: last?.hash,
  });
  expect(job["completed_at"]).toBe(last?.at);
});

test("the provenance route adds the pins and every attempt with its build", async () => {
  const { body } = await app.get(`/jobs/${job.job_id}/provenance`);
  const provenance = job.result_data["_provenance"] as Record<string, unknown>;
  expect(body._provenance).toEqual(provenance);
  expect(body["pins"]).toMatchObject([
    { pin: 0, workflow_version: 1, workflow_digest: accepted.body.workflow_digest },
  ]);
  expect(body["builds"]).toEqual([provenance["engine"]]);
  const echo = body.nodes.find(({ node_id }) => node_id === "echo");
  expect(echo?.attempts).toMatchObject([
    { attempt: 1, status: "completed", handler_version: "1", build: provenance["engine"] },
  ]);
});

test("two equal jobs have equal digests and different ids", async () => {
  const [one, other] = await Promise.all([app.run("echo_test"), app.run("echo_test")]);
  const digests = ({ result_data }: Ended): readonly unknown[] => {
    const { workflow_digest, inputs_digest, results_digest } = result_data[
      "_provenance"
    ] as Record<string, unknown>;
    return [workflow_digest, inputs_digest, results_digest];
  };
  expect(digests(one)).toEqual(digests(other));
  expect(one.job_id).not.toBe(other.job_id);
});
