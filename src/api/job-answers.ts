// What is answered about jobs. Members that have no value are absent; nothing stands in an answer
// that does not stand here.
import * as z from "zod";
import {
  anyJson,
  count,
  digest,
  errorCode,
  instant,
  issue,
  jobId,
  jobStatus,
  label,
  nodeId,
  nodeStatus,
  object,
  problem,
  seconds,
  sequence,
  version,
  workflowId,
} from "./shapes.ts";

const pin = {
  job_id: jobId,
  workflow_id: workflowId,
  workflow_version: version,
  workflow_digest: digest.describe("Digest of the pinned definition."),
};

const failure = z
  .strictObject({
    code: errorCode,
    message: z.string(),
    node_id: nodeId.exactOptional().describe("The node that failed the job."),
  })
  .describe("Why a job or a node ended so.");

const facts = {
  ...pin,
  status: jobStatus,
  seq: sequence.describe("The last entry of its journal that this answer knows."),
  created_at: instant,
  started_at: instant.exactOptional(),
  completed_at: instant.exactOptional().describe("When it ended, however it ended."),
  updated_at: instant,
  deadline_at: instant,
  duration_seconds: seconds.exactOptional().describe("From `started_at` to `completed_at`."),
  submitted_by: label.exactOptional(),
  authenticated_as: z.string().describe("Who the platform says submitted it."),
  correlation_id: label.exactOptional(),
  idempotency_key: label.exactOptional(),
  tags: z.array(label).exactOptional(),
  redefined: z.literal(true).exactOptional().describe("Its version had other content before."),
  error: failure.exactOptional(),
  ending: z
    .strictObject({ becomes: z.enum(["failed", "cancelled"]) })
    .exactOptional()
    .describe("Of a cancelling job: what it becomes."),
};

const links = z
  .strictObject({
    self: z.string(),
    events: z.string(),
    timeline: z.string(),
    snapshot: z.string(),
    result: z.string(),
    provenance: z.string(),
    cancel: z.string(),
  })
  .describe("Where the rest of the job is.");

export const acceptedJob = z.strictObject({ ...facts, links }).describe("An accepted job.");

const statusCounts = z
  .partialRecord(nodeStatus, count)
  .describe("How many nodes have which status.");

const output = anyJson.describe(
  "What the node gave; `{object, digest, bytes}` where it is above 8 KiB.",
);

const node = {
  node_id: nodeId,
  type: z.string().exactOptional().describe("The node type; absent where the snapshot is refused."),
  status: nodeStatus,
  attempt: z.int().min(1).exactOptional().describe("The last attempt."),
  queued_at: instant.exactOptional(),
  not_before: instant.exactOptional().describe("When a retry may start."),
  started_at: instant.exactOptional(),
  ended_at: instant.exactOptional(),
  duration_seconds: seconds.exactOptional(),
  branch: z.string().exactOptional().describe("The branch that a conditional took."),
  output: output.exactOptional(),
  error: failure.exactOptional(),
  items: z
    .strictObject({ count, completed: count, failed: count, chunks: count })
    .exactOptional()
    .describe("Of a fan_out."),
  missing_since: instant.exactOptional().describe("Since when no build had its handler."),
};

const nodeRow = z.strictObject(node).describe("One node of a job.");

export const job = z
  .strictObject({
    ...facts,
    as_of: instant.describe("When this was true."),
    summary: statusCounts,
    percent_complete: z.int().min(0).max(100).describe("Nodes that have ended, not time."),
    nodes: z.array(nodeRow).describe("In the order of the definition's graph."),
  })
  .describe("A job with its nodes.");

const row = z
  .strictObject({
    ...pin,
    seq: sequence,
    status: jobStatus,
    correlation_id: label.exactOptional(),
    idempotency_key: label.exactOptional(),
    submitted_by: label.exactOptional(),
    authenticated_as: z.string(),
    tags: z.array(label).exactOptional(),
    created_at: instant,
    started_at: instant.exactOptional(),
    completed_at: instant.exactOptional(),
    deadline_at: instant,
    error: failure.exactOptional(),
    summary: statusCounts,
    as_of: instant.describe("When this row was true."),
  })
  .describe("A row of a list.");

export const jobList = z
  .strictObject({
    jobs: z.array(row),
    count,
    continuation: z.string().exactOptional().describe("There is more: pass it back as it is."),
  })
  .describe("A page of jobs.");

const event = z
  .looseObject({
    seq: sequence,
    at: instant,
    lane: z.string().describe("Whose chain the hash belongs to."),
    type: z.string(),
    hash: digest,
  })
  .describe("A fact of the history; its further members follow from its type.");

export const events = z
  .strictObject({
    ...pin,
    status: jobStatus,
    seq: sequence.describe("The last entry shown, or `after` where there is none."),
    has_more: z.boolean().describe("There are entries after `seq`."),
    count,
    events: z.array(event),
  })
  .describe("The history of a job, or a part of it.");

const attempt = z
  .strictObject({
    attempt: z.int().min(1),
    status: z.enum(["running", "completed", "failed", "timed_out", "lost", "cancelled"]),
    started_at: instant,
    ended_at: instant.exactOptional(),
    build: z.string().describe("The build that ran it."),
    handler_version: z.string(),
    params_digest: digest,
    error: failure.exactOptional(),
    log: z.array(z.string()).exactOptional(),
  })
  .describe("One try at a node.");

export const jobNode = z
  .strictObject({
    ...pin,
    ...node,
    attempts: z.array(attempt),
    log: z.array(z.string()).describe("Of the last attempt that logged."),
    events: z.array(event),
  })
  .describe("One node of a job, whole.");

const bar = z
  .strictObject({
    node_id: nodeId,
    kind: z.enum(["node", "attempt", "chunk"]),
    attempt: z.int().min(1).exactOptional(),
    chunk: z.int().min(0).exactOptional(),
    status: z.string().describe("How it ended, or `running`."),
    queued_at: instant.exactOptional(),
    started_at: instant.exactOptional(),
    ended_at: instant.exactOptional(),
    items: count.exactOptional().describe("Items of a chunk that were handed in."),
    failed: count.exactOptional().describe("Those of them that failed."),
    error: failure.exactOptional(),
  })
  .describe("One bar of a timeline: an attempt, a chunk, or a node that has neither.");

export const timeline = z
  .strictObject({
    ...pin,
    status: jobStatus,
    seq: sequence,
    created_at: instant,
    started_at: instant.exactOptional(),
    completed_at: instant.exactOptional(),
    as_of: instant,
    bars: z.array(bar).describe("In the order in which they began."),
  })
  .describe("When what ran.");

export const snapshot = z
  .strictObject({
    ...pin,
    source_digest: digest.describe("Digest of the bytes of the file."),
    pinned_at: instant,
    workflow_snapshot: object.describe("The definition, defaults applied."),
    workflow_source: z.string().describe("The exact text of the file."),
    vars: object,
    inputs: object,
  })
  .describe("What a job is pinned to.");

const provenanceFacts = z
  .strictObject({
    workflow_id: workflowId,
    workflow_version: version,
    job_id: jobId,
    completed_at: instant,
    status: jobStatus,
    workflow_digest: digest,
    source_digest: digest,
    inputs_digest: digest,
    results_digest: digest,
    engine: z.string(),
    log_head: digest,
    redefined: z.literal(true).exactOptional().describe("Its version had other content before."),
  })
  .describe("What ran, in which version, when, from what, with which result.");

export const result = z
  .strictObject({
    ...pin,
    status: jobStatus,
    references: z
      .array(nodeId)
      .exactOptional()
      .describe("Nodes whose output stands as `{object, digest, bytes}`."),
    result_data: z
      .looseObject({ _provenance: provenanceFacts })
      .describe("Outputs by node, and the provenance."),
  })
  .describe("The results of a job that has ended.");

export const provenance = z
  .strictObject({
    ...pin,
    _provenance: provenanceFacts,
    pins: z.array(
      z.strictObject({
        pin: z.int().min(0),
        pinned_at: instant,
        workflow_version: version,
        workflow_digest: digest,
        source_digest: digest,
        inputs_digest: digest,
        decisions_version: z.int().min(1),
      }),
    ),
    builds: z.array(z.string()).describe("Builds that wrote entries."),
    nodes: z.array(
      z.strictObject({ node_id: nodeId, status: nodeStatus, attempts: z.array(attempt) }),
    ),
  })
  .describe("Where the results of a job come from.");

const preflight = {
  job_id: jobId.exactOptional().describe("The job that the key names already."),
  workflow_id: workflowId,
  workflow_version: version,
  workflow_digest: digest,
  inputs: object.exactOptional().describe("As a new job would get them, defaults applied."),
  vars: object.exactOptional().describe("As a new job would pin them."),
};

export const dryRun = z
  .strictObject({
    dry_run: z.literal(true),
    would: z.enum(["create", "answer"]).describe("A new job, or the one the key names already."),
    ...preflight,
  })
  .describe("What a submission would do.");

export const validation = z
  .union([
    z.strictObject({ valid: z.literal(true), issues: z.array(z.never()), ...preflight }),
    z.strictObject({
      valid: z.literal(false),
      issues: z.array(issue).min(1),
    }),
  ])
  .describe("Whether a job could start, with everything that speaks against it.");

const batchItem = z
  .strictObject({
    index: z.int().min(0),
    status: z.int().min(200).max(599).describe("As POST /jobs would have answered."),
    job: acceptedJob.exactOptional(),
    problem: problem.omit({ instance: true }).exactOptional(),
  })
  .describe("What became of one submission.");

export const batchAnswer = z
  .strictObject({
    count,
    accepted: count.describe("New jobs."),
    repeated: count.describe("Jobs that were accepted before."),
    refused: count,
    items: z.array(batchItem).describe("In the order of the request."),
  })
  .describe("What became of a batch, submission by submission.");

export const submitted = z
  .union([acceptedJob, dryRun])
  .describe("The job that was accepted before, or what a dry run found.");
