// Entry 0 and the pin: everything comes back as it was given, and a damaged pin is refused.
import { expect, test } from "vitest";
import { applyEntry } from "../../../src/core/apply.ts";
import { canonical, digest } from "../../../src/core/canonical.ts";
import { createJob, emptyWorkflow, pinnedWorkflow } from "../../../src/core/create-job.ts";
import type { CreationRequest } from "../../../src/core/create-job.ts";
import { WorkflowError } from "../../../src/core/error.ts";
import type { CreationEntry, JournalEntry } from "../../../src/core/event.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { DEFAULT_RETENTION } from "../../../src/core/retention.ts";
import { definition, end, sha256, start, task, text } from "../../support/build.ts";
import { plain } from "../../support/engine.ts";

const PARSED = definition(
  { s: start("a"), a: task({ params: { x: "{{ inputs.n }}" }, next: "z" }), z: end() },
  { version: 7, timeout_seconds: 90, inputs: { n: { type: "integer" } } },
);

const REQUEST: CreationRequest = {
  job_id: "01930000-0000-7000-8000-000000000000",
  at: "2026-01-01T00:00:00.000Z",
  write_id: "w",
  build: "holdfast@test",
  definition: PARSED,
  source: "# as it was written\n",
  source_digest: "sha256:source",
  inputs: { n: 3 },
  vars: { v: [1] },
  request_digest: "sha256:request",
  retention: DEFAULT_RETENTION,
  authenticated_as: "key",
};

const OPTIONAL = {
  submitted_by: "ada",
  correlation_id: "c-1",
  idempotency_key: "k-1",
  tags: ["one", "two"],
  redefined: true,
} as const;

test("entry 0 holds the whole pin, and its state has every field equal", () => {
  const { entry, job } = createJob({ ...REQUEST, ...OPTIONAL }, sha256);
  expect(entry).toMatchObject({
    id: "0",
    seq: 0,
    workflow_id: "test",
    workflow_version: 7,
    workflow_snapshot: plain(PARSED),
    workflow_source: REQUEST.source,
    inputs: REQUEST.inputs,
    vars: REQUEST.vars,
  });
  expect(entry.workflow_digest).toBe(digest(plain(PARSED), sha256));
  expect(entry.events[0]).toMatchObject({
    type: "job_created",
    ...OPTIONAL,
    authenticated_as: "key",
    deadline_at: "2026-01-01T00:01:30.000Z",
    inputs_digest: digest(REQUEST.inputs, sha256),
    vars_digest: digest(REQUEST.vars, sha256),
    request_digest: "sha256:request",
    expires_at: "2026-05-01T00:01:30.000Z",
    format: 1,
    expressions: 1,
    decisions_version: 1,
  });
  expect(job).toMatchObject({ ...OPTIONAL, status: "pending", seq: 0, n: 1, nodes: {} });
  expect(job.head).toBe(entry.events[0]?.hash);
  expect(applyEntry(undefined, plain(entry) as unknown as JournalEntry, sha256)).toEqual(job);
});

test("what was not given is absent, not undefined", () => {
  const { entry, job } = createJob(REQUEST, sha256);
  expect(plain(entry)).toEqual(entry);
  expect(plain(job)).toEqual(job);
  expect(Object.keys(job)).not.toContain("tags");
});

test("whether new jobs may start is no part of the pin", () => {
  const off = createJob({ ...REQUEST, definition: { ...PARSED, is_active: false } }, sha256);
  expect(off.entry.workflow_digest).toBe(createJob(REQUEST, sha256).entry.workflow_digest);
});

test("inputs and vars stand in the state up to 8 KB together", () => {
  const at = (bytes: number) =>
    createJob({ ...REQUEST, inputs: { t: text(bytes) }, vars: {} }, sha256).job;
  expect(at(8192 - 2 - '{"t":""}'.length)).toMatchObject({ vars: {} });
  expect(at(8192 - 1 - '{"t":""}'.length)).not.toHaveProperty("inputs");
});

test("a snapshot above its bound creates nothing", () => {
  const nodes = { s: start("a"), a: task({ params: { big: text(256 * 1024) } }) };
  const attempt = () => createJob({ ...REQUEST, definition: definition(nodes) }, sha256);
  expect(attempt).toThrow(expect.objectContaining({ code: "LIMIT_EXCEEDED" }));
});

test("the pin comes back typed, validated and compiled", () => {
  const { entry } = createJob(REQUEST, sha256);
  const workflow = pinnedWorkflow(plain(entry) as unknown as JournalEntry, sha256);
  expect(workflow.definition).toEqual(PARSED);
  expect(workflow.digest).toBe(entry.workflow_digest);
  expect(workflow.order).toEqual(["s", "a", "z"]);
});

function codeOf(change: (entry: CreationEntry) => object): string {
  const { entry } = createJob(REQUEST, sha256);
  try {
    pinnedWorkflow(change(entry) as JournalEntry, sha256);
    return "none";
  } catch (error) {
    return error instanceof WorkflowError ? error.code : String(error);
  }
}

/** With a snapshot of its own and the digest that goes with it. */
function withSnapshot(snapshot: JsonObject) {
  return (entry: CreationEntry) => {
    const workflow_digest = `sha256:${sha256(canonical(snapshot))}`;
    return { ...entry, workflow_snapshot: snapshot, workflow_digest };
  };
}

const without = (member: string) => (entry: CreationEntry) =>
  Object.fromEntries(Object.entries(entry).filter(([name]) => name !== member));

const later = (rule: string) => (entry: CreationEntry) => ({
  ...entry,
  events: entry.events.map((event) => ({ ...event, [rule]: 2 })),
});

const BROKEN = { f: { type: "task", handler: "h", params: { a: "{{" } } };

const deep = (levels: number): JsonObject => (levels === 0 ? {} : { d: deep(levels - 1) });

test.each<readonly [string, string, (entry: CreationEntry) => object]>([
  ["another event first", "none", (entry) => ({ ...entry, events: [{ type: "job_started" }] })],
  ["a later format", "SCHEMA_TOO_NEW", later("format")],
  ["later expressions", "SCHEMA_TOO_NEW", later("expressions")],
  ["later decisions", "SCHEMA_TOO_NEW", later("decisions_version")],
  ["no version", "SNAPSHOT_INVALID", without("workflow_version")],
  ["version 0", "SNAPSHOT_INVALID", (entry) => ({ ...entry, workflow_version: 0 })],
  ["version 1.5", "SNAPSHOT_INVALID", (entry) => ({ ...entry, workflow_version: 1.5 })],
  ["another version", "SNAPSHOT_INVALID", (entry) => ({ ...entry, workflow_version: 8 })],
  ["no digest", "SNAPSHOT_INVALID", without("workflow_digest")],
  ["no snapshot", "SNAPSHOT_INVALID", without("workflow_snapshot")],
  ["a list", "SNAPSHOT_INVALID", (entry) => ({ ...entry, workflow_snapshot: [] })],
  ["an edit", "SNAPSHOT_TAMPERED", (entry) => ({ ...entry, workflow_snapshot: { nodes: {} } })],
  ["no definition", "SNAPSHOT_INVALID", withSnapshot({ nodes: 1 })],
  ["endless depth", "SNAPSHOT_INVALID", (entry) => ({ ...entry, workflow_snapshot: deep(999) })],
  [
    "a broken expression",
    "SNAPSHOT_INVALID",
    withSnapshot(plain({ ...PARSED, nodes: BROKEN })),
  ],
  ["nothing wrong", "none", (entry) => entry],
])("an entry with %s: %s", (_what, code, change) => {
  expect(codeOf(change)).toBe(code);
});

test("a job without a readable snapshot gets a workflow without nodes", () => {
  const { job } = createJob(REQUEST, sha256);
  const odd = { ...job, workflow_id: "Not An Id", workflow_version: -1 };
  const workflow = emptyWorkflow(odd);
  expect(workflow).toMatchObject({ digest: job.workflow_digest, order: [] });
  expect(workflow.definition).toMatchObject({ workflow_id: "Not An Id", nodes: {} });
});
