// What clients send: bodies and query parameters. Unknown members are refused by name; everything
// that is wrong is reported at once.
import * as z from "zod";
import { isInstant } from "../core/instant.ts";
import { JOB_STATUSES } from "../core/job.ts";
import { MAX_TAGS } from "../core/limits.ts";
import { safeParse } from "../core/safe-parse.ts";
import { digest, label, object, version, workflowId } from "./shapes.ts";

/** Jobs of one batch. */
export const MAX_BATCH = 100;
/** Rows of a page. */
export const MAX_LIST_LIMIT = 200;
/** A request may be held so long; every proxy on the way allows that. */
export const MAX_WAIT_SECONDS = 30;
/** Journal entries of a page of history. */
export const MAX_EVENT_ENTRIES = 1_000;

export const submission = z
  .strictObject({
    workflow_id: workflowId.describe("Which workflow."),
    version: version
      .exactOptional()
      .describe("Which version; without it the highest active one."),
    input_params: object
      .exactOptional()
      .describe("The inputs; defaults fill what is left out. At most 256 KiB with them."),
    correlation_id: label.exactOptional().describe("Yours, to find the job by."),
    submitted_by: label.exactOptional().describe("Who you say you are; shown, never trusted."),
    tags: z.array(label).max(MAX_TAGS).exactOptional().describe("Labels, to find the job by."),
    idempotency_key: label
      .exactOptional()
      .describe("Makes repeating safe; also as the header `Idempotency-Key`."),
  })
  .describe("A job to be started.");

/** Its members are read one by one, so that one bad job refuses no other. */
export const batch = z
  .strictObject({
    jobs: z
      .array(z.unknown())
      .min(1)
      .max(MAX_BATCH)
      .describe("Submissions, each as the body of POST /jobs."),
  })
  .describe("Jobs to be started, each for itself.");

export const cancellation = z
  .strictObject({ reason: label.exactOptional().describe("Kept in the history.") })
  .describe("Why; the whole body may be missing.");

/** A whole number in a query: the text of one, within its bounds. */
function wholeNumber(least: number, most: number) {
  return z
    .string()
    .regex(/^(?:0|[1-9]\d{0,15})$/, { error: `expected a whole number, ${least} to ${most}` })
    .transform(Number)
    .pipe(
      z
        .int()
        .min(least, { error: `at least ${least}` })
        .max(most, { error: `at most ${most}` }),
    )
    .meta({ type: "integer", minimum: least, maximum: most });
}

const queryInstant = z
  .string()
  .refine(isInstant, { error: "expected an instant, as 2026-11-22T20:40:51.845Z" })
  .meta({ format: "date-time" });

const jobStatus = z.enum(JOB_STATUSES);
/** So many may be named, which is every one of them twice. */
const MAX_STATUSES = 2 * JOB_STATUSES.length;

/** A parameter is one value: what is wrong in it is wrong with it. */
const statusNames = z.string().transform((text, context) => {
  const names = text.split(",");
  const known = names.flatMap((name) => safeParse(jobStatus, name).data ?? []);
  if (known.length === names.length && names.length <= MAX_STATUSES) return known;
  const message = `expected one or more of ${JOB_STATUSES.join(", ")}, with commas between`;
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

const flag = z.enum(["true", "false"]).transform((text) => text === "true");

export const noQuery = z.strictObject({});

export const submitQuery = z.strictObject({
  dry_run: flag
    .exactOptional()
    .describe("`true` answers as a submission would and creates nothing."),
});

export const listQuery = z.strictObject({
  status: statusNames.exactOptional().describe("One status, or several with commas between."),
  workflow_id: workflowId.exactOptional(),
  workflow_version: wholeNumber(1, Number.MAX_SAFE_INTEGER).exactOptional(),
  workflow_digest: digest.exactOptional(),
  correlation_id: label.exactOptional(),
  idempotency_key: label.exactOptional(),
  tag: label.exactOptional().describe("Jobs that have this tag."),
  submitted_by: label.exactOptional(),
  created_from: queryInstant.exactOptional().describe("Created at this instant or later."),
  created_before: queryInstant.exactOptional().describe("Created before this instant."),
  sort: z
    .enum(["-created_at", "created_at"])
    .default("-created_at")
    .describe("Newest first, or oldest first."),
  limit: wholeNumber(1, MAX_LIST_LIMIT).default(50).describe("Rows of a page."),
  continuation: z
    .string()
    .min(1)
    .max(1024)
    .exactOptional()
    .describe("From the page before, with the same filters and sort."),
});

export const waitQuery = z.strictObject({
  wait: wholeNumber(0, MAX_WAIT_SECONDS)
    .default(0)
    .describe(
      "Seconds to hold the answer: until the job has changed from `If-None-Match`, or without " +
        "that header until it has ended.",
    ),
});

export const eventsQuery = z.strictObject({
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER)
    .exactOptional()
    .describe("Only entries with a higher `seq`."),
  limit: wholeNumber(1, MAX_EVENT_ENTRIES)
    .default(MAX_EVENT_ENTRIES)
    .describe("Entries at most, each whole with its events."),
  wait: wholeNumber(0, MAX_WAIT_SECONDS)
    .default(0)
    .describe("Seconds to hold the answer until there is an entry after `after`."),
});

export const rebuildQuery = z.strictObject({
  confirm: z.string().exactOptional().describe("The word DESTROY."),
});
