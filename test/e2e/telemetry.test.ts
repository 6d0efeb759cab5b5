// What a collector and Application Insights get of one job, from the built app in a process of its
// own, over the wire: one trace with the right parents across queue hops, metrics, log records. And
// without a destination: no package of telemetry is loaded.
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { METRICS } from "../../src/runtime/telemetry-names.ts";
import { processFixture } from "../support/app-process.ts";
import type { ProcessFixture } from "../support/app-process.ts";
import { TEST_CERTIFICATE } from "../support/http-server.ts";
import { insightsReceiver } from "../support/insights-receiver.ts";
import type { Envelope, InsightsReceiver } from "../support/insights-receiver.ts";
import { otlpReceiver } from "../support/otlp-receiver.ts";
import type { OtlpReceiver, SeenSpan } from "../support/otlp-receiver.ts";
import { waitFor } from "../support/wait-until.ts";

const TRACED = `
workflow_id: traced
version: 3
inputs: { name: { type: string, required: true } }
nodes:
  start: { type: start, next: shaky }
  shaky:
    type: task
    handler: flaky_echo
    params: { fail_times: 1, message: "{{ inputs.name }}" }
    retry: { max_attempts: 3, initial_delay_seconds: 0.1, jitter: 0 }
    next: spread
  spread:
    type: fan_out
    source: "{{ ['a', 'b', 'c'] }}"
    task: { handler: echo, params: { message: "{{ item }}" } }
    next: gather
  gather: { type: fan_in, aggregation: collect, next: end }
  end: { type: end }
`;
const PAYLOAD = "a payload that nobody else may see";
/** The client's own trace: linked, not continued. */
const CLIENT = "4bf92f3577b34da6a3ce929d0e0e4736";
const KINDS = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };

let fixture: ProcessFixture;
let collector: OtlpReceiver;
let insights: InsightsReceiver;
let jobId: string;
let status: unknown;
let spans: readonly SeenSpan[];
let envelopes: readonly Envelope[];

beforeAll(async () => {
  collector = await otlpReceiver();
  insights = await insightsReceiver();
  fixture = await processFixture({ "traced.yaml": TRACED });
  const app = await fixture.start({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: "x-team=a%20b",
    OTEL_SERVICE_NAME: "traced-app",
    APPLICATIONINSIGHTS_CONNECTION_STRING: insights.connectionString,
    NODE_EXTRA_CA_CERTS: TEST_CERTIFICATE,
    HOLDFAST_TELEMETRY_SECONDS: "0.5",
    HOLDFAST_LOCAL_TIMER: "*/1 * * * * *",
  });
  const headers = { traceparent: `00-${CLIENT}-00f067aa0ba902b7-01` };
  const body = { workflow_id: "traced", input_params: { name: PAYLOAD } };
  const { job_id } = (await app.call("POST", "/jobs", { body, headers })).body;
  status = (await app.ended(job_id)).status;
  await waitFor(() => collector.points.some(({ name }) => name === "holdfast.sweep.lag"), {
    what: "the timer has read its gauges",
    timeoutMs: 15_000,
  });
  // The last of it is sent when the platform ends the process.
  await app.terminate();
  jobId = job_id;
  const trace = job_id.replaceAll("-", "");
  spans = collector.spans.filter(({ trace_id }) => trace_id === trace);
  envelopes = insights.envelopes.filter(({ tags }) => tags["ai.operation.id"] === trace);
});

afterAll(async () => {
  fixture.stop();
  await Promise.all([collector.stop(), insights.stop()]);
});

const of = (sort: string) => spans.filter(({ attributes }) => attributes["span"] === sort);
const parentOf = ({ parent_id }: SeenSpan) => spans.find(({ span_id }) => span_id === parent_id);
const sortOf = (span: SeenSpan | undefined) => span?.attributes["span"];

describe("the collector", () => {
  test("gets one trace of the job, with one root and no span without a parent", () => {
    expect(status).toBe("completed");
    expect(spans.length).toBeGreaterThan(30);
    const orphans = spans.filter((span) => parentOf(span) === undefined);
    expect(orphans.map(({ name }) => name)).toEqual(["job traced"]);
    expect(new Set(spans.map(({ span_id }) => span_id)).size).toBe(spans.length);
    for (const span of spans) expect(span.end_ms).toBeGreaterThanOrEqual(span.start_ms);
  });

  test("finds each queue hop as a sender above a receiver", () => {
    expect(of("process").map(({ name }) => name).toSorted()).toEqual(
      ["process chunk", "process chunk", "process chunk", "process start", "process task"],
    );
    for (const span of of("process")) {
      expect([sortOf(parentOf(span)), span.kind]).toEqual(["queue", KINDS.consumer]);
    }
    for (const span of of("queue")) {
      expect(["submit", "process"]).toContain(sortOf(parentOf(span)));
      expect(span.kind).toBe(KINDS.producer);
    }
    const [retried] = of("process").filter(({ name }) => name === "process task");
    const first = retried && parentOf(parentOf(retried) as SeenSpan);
    expect(first?.name).toBe("process start");
  });

  test("finds the attempts of the retry and of the fan_out where they were made", () => {
    const attempts = of("attempt").map(({ name, status, attributes }) => [
      name,
      attributes["attempt"],
      attributes["outcome"],
      status,
    ]);
    expect(attempts).toEqual([
      ["attempt shaky", 1, "failed", 2],
      ["attempt shaky", 2, "completed", 0],
    ]);
    expect(of("item")).toHaveLength(3);
    for (const item of of("item")) expect(sortOf(parentOf(item))).toBe("chunk");
    for (const chunk of of("chunk")) expect(sortOf(parentOf(chunk))).toBe("process");
  });

  test("finds workflow, version, digest and job on every span", () => {
    for (const { name, attributes } of spans) {
      expect([name, attributes["job_id"]]).toEqual([name, jobId]);
    }
    const pinned = [...of("job"), ...of("attempt"), ...of("chunk"), ...of("item")];
    for (const { attributes } of pinned) {
      expect(attributes).toMatchObject({ workflow_id: "traced", workflow_version: 3 });
      expect(attributes["workflow_digest"]).toMatch(/^sha256:/);
    }
  });

  test("finds every request to the stores, with its charge, beneath what asked", () => {
    const requests = of("store");
    expect(requests.filter(({ name }) => name === "journal.create").length).toBeGreaterThan(8);
    for (const request of requests) {
      expect(request.kind).toBe(KINDS.client);
      expect(["submit", "process", "chunk", "attempt"]).toContain(sortOf(parentOf(request)));
      expect(request.attributes["request_charge"]).toBeGreaterThan(0);
    }
  });

  test("finds the platform's invocations and the client's trace as links", () => {
    const links = [...of("submit"), ...of("process")].map((span) => span.links);
    expect(links.map((list) => list.length)).toEqual(links.map(() => 1));
    expect(of("submit")[0]?.links[0]?.trace_id).toBe(CLIENT);
    const ids = of("process").map((span) => span.attributes["invocation_id"]);
    expect(new Set(ids).size).toBe(of("process").length);
  });

  test("gets the metrics, with the unit of the table", () => {
    const names = new Map(collector.points.map(({ name, unit }) => [name, unit]));
    const silent = Object.keys(METRICS).filter((name) => !names.has(name));
    // What did not happen: nothing came twice, waited, was lost, poisoned or met another writer.
    const rare = ["duplicate", "deferred", "resent", "poisoned"].map((one) => `messages.${one}`);
    const quiet = [...rare, "store.conflicts"].map((name) => `holdfast.${name}`);
    expect(silent.filter((name) => !quiet.includes(name))).toEqual([]);
    for (const [name, unit] of names) {
      expect([name, unit]).toEqual([name, METRICS[name as keyof typeof METRICS].unit]);
    }
    const last = (name: string) => collector.points.findLast((point) => point.name === name);
    expect(last("holdfast.jobs.ended")).toMatchObject({
      value: 1,
      attributes: { workflow_id: "traced", workflow_version: 3, status: "completed" },
    });
    expect(last("holdfast.job.duration")?.count).toBe(1);
  });

  test("gets the log with the same keys, in the trace", () => {
    const ended = collector.logs.find(({ body }) => body === "job.ended");
    expect(ended).toMatchObject({
      trace_id: jobId.replaceAll("-", ""),
      attributes: { event: "job.ended", job_id: jobId, workflow_version: 3, status: "completed" },
    });
    expect(spans.map(({ span_id }) => span_id)).toContain(ended?.span_id);
    const ready = collector.logs.find(({ body }) => body === "host.ready");
    expect(ready?.trace_id).toBe("");
  });

  test("is told who sends, and by whom it may be asked", () => {
    expect(collector.resources[0]).toMatchObject({
      "service.name": "traced-app",
      "service.version": expect.stringMatching(/^0\.1\.0\+/) as string,
    });
    expect(new Set(collector.headers.map((headers) => headers["x-team"]))).toEqual(
      new Set(["a b"]),
    );
  });
});

describe("Application Insights", () => {
  const typed = (type: string) => envelopes.filter(({ data }) => data.baseType === type);

  test("gets the same spans: jobs and messages as requests, the rest as dependencies", () => {
    const requests = typed("RequestData");
    const names = requests.map(({ data }) => data.baseData.name ?? "");
    expect(names.toSorted()).toEqual([
      "job traced",
      ...["chunk", "chunk", "chunk", "start", "task"].map((kind) => `process ${kind}`),
    ]);
    expect(requests.length + typed("RemoteDependencyData").length).toBe(spans.length);
    const ids = envelopes.flatMap(({ data }) => data.baseData.id ?? []);
    expect(ids.toSorted()).toEqual(spans.map(({ span_id }) => span_id).toSorted());
    const parents = new Map(spans.map(({ span_id, parent_id }) => [span_id, parent_id]));
    for (const { tags, data } of [...requests, ...typed("RemoteDependencyData")]) {
      const parent = parents.get(data.baseData.id ?? "");
      expect(tags["ai.operation.parentId"] ?? "").toBe(parent);
      expect(tags["ai.cloud.role"]).toBe("traced-app");
    }
  });

  test("finds the job under its workflow's name, and what failed as failed", () => {
    const [job] = typed("RequestData").filter(({ data }) => data.baseData.name === "job traced");
    expect(job).toMatchObject({
      tags: { "ai.operation.name": "job traced" },
      data: { baseData: { success: true, properties: { job_id: jobId, status: "completed" } } },
    });
    const attempts = typed("RemoteDependencyData").filter(
      ({ data }) => data.baseData.name === "attempt shaky",
    );
    expect(attempts.map(({ data }) => data.baseData.success)).toEqual([false, true]);
    const store = typed("RemoteDependencyData").find(
      ({ data }) => data.baseData.name === "journal.create",
    );
    expect(store).toMatchObject({ data: { baseData: { type: "Azure DocumentDB" } } });
  });

  test("gets metrics and log records, and nothing about the exporter or the machine", () => {
    const types = new Set(insights.envelopes.map(({ data }) => data.baseType));
    expect(types).toEqual(
      new Set(["RequestData", "RemoteDependencyData", "MetricData", "MessageData"]),
    );
    const metrics = insights.envelopes.flatMap(({ data }) => data.baseData.metrics ?? []);
    const strange = metrics.filter(({ name }) => !(name in METRICS));
    expect(metrics.length).toBeGreaterThan(10);
    expect(strange).toEqual([]);
    const messages = typed("MessageData").map(({ data }) => data.baseData.message);
    expect(messages).toEqual(
      expect.arrayContaining(["job.accepted", "node.started", "node.ended", "job.ended"]),
    );
  });
});

test("no payload is in anything that was sent", () => {
  const { logs, points } = collector;
  const sent = JSON.stringify([collector.spans, logs, points, insights.envelopes]);
  expect(sent).toContain(jobId);
  expect(sent).not.toContain(PAYLOAD);
});

describe("without a destination", () => {
  const PROBE = path.resolve(import.meta.dirname, "../fixtures/bundle/loaded-chunks.cjs");

  /** The files of the bundle that a process has loaded, when it has run a job. */
  async function loaded(env: Readonly<Record<string, string>>): Promise<ReadonlySet<unknown>> {
    const app = await fixture.start({ ...env, NODE_OPTIONS: `--require=${PROBE}` });
    const body = { workflow_id: "traced", input_params: { name: "x" } };
    await app.ended((await app.post("/jobs", body)).body.job_id);
    expect(await app.terminate()).toBe(0);
    const files = app.lines.filter(({ event }) => event === "test.loaded");
    return new Set(files.map(({ name }) => name));
  }

  test("no package of telemetry is loaded, in a process that ran a job", async () => {
    const to = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    const files = ["main.cjs", "composition.cjs", "stores.cjs"];
    expect(await loaded(to)).toEqual(new Set([...files, "telemetry.cjs"]));
    expect(await loaded({})).toEqual(new Set(files));
  });
});
