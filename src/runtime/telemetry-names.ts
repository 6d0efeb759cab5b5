// The one table of every span and every metric, with what they mean. What telemetry is told is
// typed by these names, so the compiler finds a name that is not here; docs/telemetry.md shows
// them. Attributes have the names that documents and log lines have. Events of the log stand in
// azure/telemetry.ts.

/** As in OpenTelemetry: who is on the other side. */
export type SpanKind = "server" | "consumer" | "producer" | "client" | "internal";

interface SpanDescription {
  readonly kind: SpanKind;
  /** The name as it is shown; what stands in <> varies. */
  readonly name: string;
  readonly parent: string;
  readonly meaning: string;
}

export const SPANS = {
  job: {
    kind: "server",
    name: "job <workflow_id>",
    parent: "none: the root of the trace",
    meaning: "The job, from its acceptance to its end. Written when the job ends.",
  },
  submit: {
    kind: "internal",
    name: "submit <workflow_id>",
    parent: "`job`",
    meaning: "Pinning and accepting the job.",
  },
  process: {
    kind: "consumer",
    name: "process <kind>",
    parent: "the `queue` span that sent the message",
    meaning: "Handling one message.",
  },
  attempt: {
    kind: "internal",
    name: "attempt <node_id>",
    parent: "`process`; `job` for an attempt whose worker was lost",
    meaning: "One attempt at a task.",
  },
  chunk: {
    kind: "internal",
    name: "chunk <node_id>",
    parent: "`process`; `job` for one whose worker was lost",
    meaning: "One attempt at the items of a chunk.",
  },
  item: {
    kind: "internal",
    name: "item <node_id>",
    parent: "`chunk`",
    meaning: "One attempt at one item.",
  },
  sweep: {
    kind: "internal",
    name: "sweep job",
    parent: "`job`",
    meaning: "The sweeper looks at a job that is due.",
  },
  cancel: {
    kind: "internal",
    name: "cancel job",
    parent: "`job`",
    meaning: "A person asks for a cancel.",
  },
  poison: {
    kind: "consumer",
    name: "poison <kind>",
    parent: "the `queue` span that sent the message",
    meaning: "The job is told of a message that the platform gave up on.",
  },
  store: {
    kind: "client",
    name: "<container>.<operation>",
    parent: "whatever asked: one of the above, or the host's own",
    meaning:
      "One request to Cosmos DB, refused and repeated ones included, or to a queue but for sends.",
  },
  queue: {
    kind: "producer",
    name: "queue.send",
    parent: "whatever sent: one of the above, or the host's own",
    meaning: "One message that is sent; its id travels in the message.",
  },
} as const satisfies Readonly<Record<string, SpanDescription>>;

export type SpanSort = keyof typeof SPANS;

interface MetricDescription {
  readonly type: "counter" | "histogram" | "gauge";
  /** UCUM, braces for what is counted. */
  readonly unit: string;
  readonly attributes: readonly string[];
  readonly meaning: string;
}

const WORKFLOW = ["workflow_id", "workflow_version"] as const;

export const METRICS = {
  "holdfast.jobs.accepted": {
    type: "counter",
    unit: "{job}",
    attributes: WORKFLOW,
    meaning: "Jobs that were accepted.",
  },
  "holdfast.jobs.started": {
    type: "counter",
    unit: "{job}",
    attributes: WORKFLOW,
    meaning: "Jobs whose first attempt was claimed.",
  },
  "holdfast.jobs.ended": {
    type: "counter",
    unit: "{job}",
    attributes: [...WORKFLOW, "status"],
    meaning: "Jobs that ended completed, failed or cancelled.",
  },
  "holdfast.job.duration": {
    type: "histogram",
    unit: "s",
    attributes: [...WORKFLOW, "status"],
    meaning: "From the acceptance of a job to its end.",
  },
  "holdfast.attempt.duration": {
    type: "histogram",
    unit: "s",
    attributes: [...WORKFLOW, "node_id", "handler", "outcome"],
    meaning: "One attempt at a task or an item. A lost task counts to its loss, a lost chunk 0.",
  },
  "holdfast.message.age": {
    type: "histogram",
    unit: "s",
    attributes: ["kind"],
    meaning: "From the time at which a message was due to its handling.",
  },
  "holdfast.messages.duplicate": {
    type: "counter",
    unit: "{message}",
    attributes: ["kind"],
    meaning: "Messages that asked for nothing that was still to be done.",
  },
  "holdfast.messages.deferred": {
    type: "counter",
    unit: "{message}",
    attributes: ["kind"],
    meaning: "Messages that were put back to wait for the world.",
  },
  "holdfast.messages.resent": {
    type: "counter",
    unit: "{message}",
    attributes: [],
    meaning: "Messages that were sent again because the first seems lost. Without faults: none.",
  },
  "holdfast.messages.poisoned": {
    type: "counter",
    unit: "{message}",
    attributes: ["kind"],
    meaning: "Messages that the platform gave up on.",
  },
  "holdfast.store.conflicts": {
    type: "counter",
    unit: "{conflict}",
    attributes: ["container"],
    meaning: "Writes that found another writer's document (409, 412).",
  },
  "holdfast.cosmos.request_charge": {
    type: "histogram",
    unit: "{RU}",
    attributes: ["container", "operation", "status"],
    meaning: "Request units of one request to Cosmos DB, as the service charged them.",
  },
  "holdfast.queue.length": {
    type: "gauge",
    unit: "{message}",
    attributes: ["queue"],
    meaning: "Messages in a queue, those that are hidden included; approximate.",
  },
  "holdfast.queue.age": {
    type: "gauge",
    unit: "s",
    attributes: [],
    meaning: "How long the message at the head of the work queue has been in line.",
  },
  "holdfast.jobs.open": {
    type: "gauge",
    unit: "{job}",
    attributes: ["status"],
    meaning: "Jobs that have not ended, as the numbers over all jobs have them.",
  },
  "holdfast.jobs.oldest_age": {
    type: "gauge",
    unit: "s",
    attributes: [],
    meaning: "Age of the oldest job that has not ended.",
  },
  "holdfast.sweep.lag": {
    type: "gauge",
    unit: "s",
    attributes: [],
    meaning: "How long the job that is due longest has been due when a sweep is over.",
  },
} as const satisfies Readonly<Record<string, MetricDescription>>;

export type MetricName = keyof typeof METRICS;

/** What one metric must be told with each value. */
export type MetricAttributes<Name extends MetricName> = Readonly<
  Record<(typeof METRICS)[Name]["attributes"][number], string | number>
>;
