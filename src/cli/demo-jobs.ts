// The jobs that the demo submits: what goes in, how each must end, and what its result must say.
// A job that ends with another version, digest or result than promised ends the demo.
import * as z from "zod";
import { safeParse } from "../core/safe-parse.ts";
import { endOf, submissionOf } from "./demo-api.ts";
import type { Api, Inputs, PinnedJob } from "./demo-api.ts";
import { expectedAnswer } from "./demo-claim.ts";
import { line, seconds, shortId } from "./demo-print.ts";
import type { Row } from "./demo-print.ts";
import { shortDigest } from "./text-layout.ts";

export interface Order {
  readonly workflowId: string;
  readonly inputs: Inputs;
  readonly becomes: "completed" | "failed";
  /** The result in a few words. Throws where it is not what the inputs ask for. */
  says(resultData: unknown, job: PinnedJob): string;
}

/** A job from its acceptance on: the pin it was given, and what it was asked for. */
export interface Submitted {
  readonly accepted: PinnedJob;
  readonly order: Order;
}

export interface Ended extends Submitted {
  readonly status: string;
  readonly said: string;
}

/** What fits beside the other columns of the table. */
const MAX_SAID_CHARS = 48;

export function echoOrder(message: string): Order {
  const schema = z.object({ echo: z.object({ message: z.literal(message) }) });
  return {
    workflowId: "echo_test",
    inputs: { message },
    becomes: "completed",
    says: (data) => `echo: ${parsed(schema, data).echo.message}`,
  };
}

const importSchema = z.object({
  report: z.object({
    rows: z.int().min(1),
    orders: z.int().min(1),
    way: z.string(),
    euro_total: z.number(),
    refused: z.array(z.unknown()),
  }),
});

export function importOrder(sourceUrl: string): Order {
  return {
    workflowId: "order_import",
    inputs: { source_url: sourceUrl },
    becomes: "completed",
    says: (data) => {
      const { rows, orders, way, euro_total, refused } = parsed(importSchema, data).report;
      must(orders + refused.length === rows, `${rows} rows, ${orders} orders: the rest is lost`);
      return `${orders} orders, ${refused.length} refused, ${way}, ${euro_total.toFixed(2)} EUR`;
    },
  };
}

/** A file that its workflow refuses: the job must fail, and say where. */
export function badImportOrder(sourceUrl: string): Order {
  return { ...importOrder(sourceUrl), becomes: "failed", says: () => "" };
}

const documentsSchema = z.object({
  report: z.object({
    listed: z.int().min(1),
    downloaded: z.int().min(1),
    missing: z.array(z.unknown()),
  }),
});

export function documentsOrder(sourceUrl: string): Order {
  return {
    workflowId: "document_pipeline",
    inputs: { source_url: sourceUrl },
    becomes: "completed",
    says: (data) => {
      const { listed, downloaded, missing } = parsed(documentsSchema, data).report;
      must(downloaded + missing.length === listed, `${listed} listed, ${downloaded} downloaded`);
      return `${downloaded} of ${listed} documents, ${missing.length} missing`;
    },
  };
}

export function claimOrder(amount: number): Order {
  const message = z.object({ message: z.string() }).optional();
  const schema = z.object({ pay: message, review: message });
  return {
    workflowId: "claim",
    inputs: { amount },
    becomes: "completed",
    says: (data, { workflow_version }) => {
      const { pay, review } = parsed(schema, data);
      const answers = [pay, review].flatMap((one) => (one === undefined ? [] : [one.message]));
      const expected = expectedAnswer(workflow_version, amount);
      must(
        answers.join() === expected,
        `a claim of ${amount} EUR under version ${workflow_version}: `
          + `expected "${expected}", got "${answers.join()}"`,
      );
      return `${amount} EUR, ${expected}`;
    },
  };
}

export async function accept(api: Api, order: Order): Promise<Submitted> {
  const accepted = await api.client.submit(submissionOf(order.workflowId, order.inputs));
  const [input] = Object.values(order.inputs);
  const pin = `v${accepted.workflow_version} ${shortDigest(accepted.workflow_digest)}`;
  const what = String(input).replace(/^.*\//, "");
  line(`  202  ${shortId(accepted.job_id)}  ${order.workflowId.padEnd(17)}  ${pin}  ${what}`);
  return { accepted, order };
}

/** Waits for the end and holds it against the pin that the acceptance promised. */
export async function ended(api: Api, submitted: Submitted, fromMs: number): Promise<Ended> {
  const { accepted, order } = submitted;
  const job = await endOf(api, accepted.job_id);
  const { result_data } = await api.client.result(accepted.job_id);
  const { _provenance: record } = await api.client.provenance(accepted.job_id);
  const name = `${order.workflowId} ${shortId(accepted.job_id)}`;
  for (const found of [job, result_data._provenance, record]) {
    for (const field of ["workflow_version", "workflow_digest"] as const) {
      must(
        found[field] === accepted[field],
        `${name}: began with ${field} ${accepted[field]}, `
          + `ended with ${JSON.stringify(found[field])}`,
      );
    }
  }
  must(job.status === order.becomes, `${name}: expected ${order.becomes}, got ${job.status}`);
  const { code, message } = job.error ?? { code: "", message: "" };
  const said = code === "" ? order.says(result_data, accepted) : `${code}: ${message}`;
  line(`after ${seconds(fromMs)}  ${name} ${job.status}`);
  return { ...submitted, status: job.status, said: shortened(said) };
}

function shortened(text: string): string {
  return text.length <= MAX_SAID_CHARS ? text : `${text.slice(0, MAX_SAID_CHARS - 1)}…`;
}

/** The job's row in the table at the end. */
export function rowOf({ accepted, order, status, said }: Ended): Row {
  const { job_id, workflow_version, workflow_digest } = accepted;
  const pin = [String(workflow_version), shortDigest(workflow_digest)];
  return [shortId(job_id), order.workflowId, ...pin, status, said];
}

export function must(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}

function parsed<T>(schema: z.ZodType<T>, data: unknown): T {
  const result = safeParse(schema, data);
  if (result.success) return result.data;
  throw new Error(`Not the promised result: ${z.prettifyError(result.error)}`);
}
