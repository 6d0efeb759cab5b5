// What an operator does with jobs, under an identity of their own: find those that have ended,
// write one out whole, take it from the stores. The app may delete nothing and never comes here.
// A purge goes journal, entry 0, projection, each by its etag: a purge that dies midway leaves the
// projection, by which the next one finds the job again; and a new job under the same idempotency
// key, which begins with an entry 0 of its own, is not taken for the old one.
import { createHash } from "node:crypto";
import { WorkflowError } from "../core/error.ts";
import type { Instant } from "../core/instant.ts";
import { addSeconds } from "../core/instant.ts";
import { isTerminalStatus } from "../core/job.ts";
import type { TerminalJobStatus } from "../core/job.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Clock, JobDocument, JobFilter, Stored } from "./ports.ts";

/** All that is given must hold. */
export interface ArchiveFilter
  extends Pick<JobFilter, "workflow_id" | "workflow_version" | "tag"> {
  /** Any of these. */
  readonly status: readonly TerminalJobStatus[];
  readonly ended_before: Instant;
}

export interface ArchiveRow {
  readonly job_id: string;
  readonly status: string;
  readonly workflow_id: string;
  readonly workflow_version: number;
  readonly created_at: Instant;
  readonly completed_at?: Instant;
}

/** "changed": somebody wrote it since the etag was read. One that is gone counts as removed. */
export type Removal = "removed" | "changed";

export interface ArchiveStore {
  /** Rows in no order, at most `limit`. */
  find(filter: ArchiveFilter, limit: number): Promise<readonly ArchiveRow[]>;
  job(jobId: string): Promise<Stored<JobDocument> | undefined>;
  removeJob(jobId: string, etag: string): Promise<Removal>;
  /** Every journal document of a job, in no order, page by page. */
  journal(jobId: string): AsyncIterable<Stored<JsonObject>>;
  /** The same, with ids alone. */
  journalIds(jobId: string): AsyncIterable<{ readonly id: string; readonly etag: string }>;
  entryZero(jobId: string): Promise<Stored<JsonObject> | undefined>;
  removeFromJournal(jobId: string, id: string, etag: string): Promise<Removal>;
}

/** Where exports go. A file appears whole, under its name, or not at all. */
export interface ExportFolder {
  write(name: string, lines: AsyncIterable<string>): Promise<void>;
  /** Line by line; undefined where there is no such file. */
  read(name: string): Promise<AsyncIterable<string> | undefined>;
}

export interface ArchivePorts {
  readonly store: ArchiveStore;
  readonly clock: Pick<Clock, "now">;
}

export interface Exported {
  readonly job_id: string;
  readonly file: string;
  readonly documents: number;
  /** It stood there already, from an earlier try. */
  readonly was_there: boolean;
}

export interface Purged {
  readonly job_id: string;
  readonly documents: number;
  readonly file?: string;
}

/** Version of the file's shape. */
const EXPORT_FORMAT = 1;
/** The numbers over all jobs count an ending some 90 s late; a refresh may still be under way. */
export const MIN_ENDED_SECONDS = 3600;
/** Deletes side by side: 16 of about 8 request units each. */
const SIDE_BY_SIDE = 16;

/**
 * Writes a job to a file of JSON Lines: a head, every document, and a foot with their number and
 * the digest of all lines before it. Reads the file again before it counts. Errors: JOB_NOT_FOUND,
 * DOCUMENT_INVALID where the journal has holes or the file is not what was written; the store's.
 */
export async function exportJob(
  { store, clock }: ArchivePorts,
  folder: ExportFolder,
  jobId: string,
): Promise<Exported> {
  const job = await standingJob(store, jobId);
  const file = fileName(job.document);
  const earlier = await folder.read(file);
  if (earlier !== undefined) {
    const found = await readExport(earlier, jobId);
    if (found.seq === job.document.seq) {
      return { job_id: jobId, file, documents: found.documents, was_there: true };
    }
  }
  const head = { holdfast_export: EXPORT_FORMAT, job_id: jobId, exported_at: clock.now() };
  await folder.write(file, withFoot(documentLines(store, head, job)));
  const written = await folder.read(file);
  if (written === undefined) throw failed(jobId, `${file} is not there after it was written`);
  const { documents } = await readExport(written, jobId);
  return { job_id: jobId, file, documents, was_there: false };
}

/** Of one job, whatever becomes of its key later. */
function fileName({ job_id, created_at }: JobDocument): string {
  return `${job_id}.${created_at.replaceAll(/[^\dTZ]/g, "")}.jsonl`;
}

async function* documentLines(
  store: ArchiveStore,
  head: JsonObject,
  job: Stored<JobDocument>,
): AsyncGenerator<JsonObject> {
  yield head;
  yield { container: "jobs", document: job.document as unknown as JsonObject };
  const { job_id } = job.document;
  for await (const { document } of store.journal(job_id)) yield { container: "journal", document };
}

async function* withFoot(lines: AsyncIterable<JsonObject>): AsyncGenerator<string> {
  const hash = createHash("sha256");
  // The head is no document.
  let documents = -1;
  for await (const line of lines) {
    const text = JSON.stringify(line);
    hash.update(`${text}\n`);
    documents += 1;
    yield text;
  }
  yield JSON.stringify({ documents, sha256: hash.digest("hex") });
}

export interface ReadExport {
  readonly documents: number;
  /** The last entry of the journal; all from 0 to it are there. */
  readonly seq: number;
}

/** Reads an export to its end. DOCUMENT_INVALID for anything but a whole one of this job. */
export async function readExport(
  lines: AsyncIterable<string>,
  jobId: string,
): Promise<ReadExport> {
  const hash = createHash("sha256");
  const entries = new Set<number>();
  let seq = -1;
  let documents = -1;
  let last: string | undefined;
  for await (const text of lines) {
    if (last !== undefined) {
      hash.update(`${last}\n`);
      const line = objectIn(last, jobId);
      if (documents === -1) assertHead(line, jobId);
      else note(line);
      documents += 1;
    }
    last = text;
  }
  const foot = objectIn(last ?? "", jobId);
  if (foot["documents"] !== documents || foot["sha256"] !== hash.digest("hex")) {
    throw failed(jobId, "the file is not the one that was written, or was cut");
  }
  const missing = Array.from({ length: seq + 1 }, (_, number) => number).filter(
    (number) => !entries.has(number),
  );
  if (missing.length > 0) throw failed(jobId, `journal entries ${missing.join(", ")} are missing`);
  return { documents, seq };

  function note({ container, document }: JsonObject): void {
    if (!isJsonObject(document) || document["job_id"] !== jobId) {
      throw failed(jobId, "a line is no document of it");
    }
    const { id } = document;
    if (container === "jobs") seq = Number(document["seq"]);
    else if (typeof id === "string" && /^\d+$/.test(id)) entries.add(Number(id));
  }
}

function assertHead(line: JsonObject, jobId: string): void {
  if (line["holdfast_export"] === EXPORT_FORMAT && line["job_id"] === jobId) return;
  throw failed(jobId, "the file does not begin as an export of it");
}

function objectIn(text: string, jobId: string): JsonObject {
  let value: Json | undefined;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    value = undefined;
  }
  if (value === undefined || !isJsonObject(value)) throw failed(jobId, "a line is no JSON object");
  return value;
}

/**
 * Takes a job from the stores, after its export where a folder is given. Errors: JOB_NOT_FOUND,
 * JOB_NOT_TERMINAL for one that has not ended, or not an hour ago; STORE_CONFLICT where somebody
 * wrote it meanwhile; those of `exportJob`; the store's.
 */
export async function purgeJob(
  ports: ArchivePorts,
  folder: ExportFolder | undefined,
  jobId: string,
): Promise<Purged> {
  const { store } = ports;
  const job = await standingJob(store, jobId);
  assertEnded(ports, job.document);
  const exported = folder === undefined ? undefined : await exportJob(ports, folder, jobId);
  let documents = 1 + (await removeJournal(store, jobId));
  const first = await store.entryZero(jobId);
  // Another time: a new job of the same idempotency key, accepted since a purge that died.
  if (first !== undefined && first.document["at"] === job.document.created_at) {
    assertRemoved(jobId, await store.removeFromJournal(jobId, "0", first.etag));
    documents += 1;
  }
  assertRemoved(jobId, await store.removeJob(jobId, job.etag));
  return { job_id: jobId, documents, ...(exported && { file: exported.file }) };
}

function assertEnded({ clock }: ArchivePorts, document: JobDocument): void {
  const { job_id, status, completed_at } = document;
  if (!isTerminalStatus(status) || typeof completed_at !== "string") {
    throw new WorkflowError("JOB_NOT_TERMINAL", `job ${job_id}: it is ${status}`);
  }
  if (completed_at <= addSeconds(clock.now(), -MIN_ENDED_SECONDS)) return;
  const message = `job ${job_id}: it ended less than an hour ago`;
  throw new WorkflowError("JOB_NOT_TERMINAL", message);
}

/** All but entry 0; looks again until nothing is left, for a page may move while others go. */
async function removeJournal(store: ArchiveStore, jobId: string): Promise<number> {
  let total = 0;
  for (;;) {
    const count = await removeOnce(store, jobId);
    if (count === 0) return total;
    total += count;
  }
}

async function removeOnce(store: ArchiveStore, jobId: string): Promise<number> {
  let count = 0;
  let batch: { readonly id: string; readonly etag: string }[] = [];
  const removeBatch = async (): Promise<void> => {
    const removing = batch.map(({ id, etag }) => store.removeFromJournal(jobId, id, etag));
    batch = [];
    for (const outcome of await Promise.all(removing)) assertRemoved(jobId, outcome);
  };
  for await (const one of store.journalIds(jobId)) {
    if (one.id === "0") continue;
    batch.push(one);
    count += 1;
    if (batch.length === SIDE_BY_SIDE) await removeBatch();
  }
  await removeBatch();
  return count;
}

function assertRemoved(jobId: string, outcome: Removal): void {
  if (outcome === "removed") return;
  throw new WorkflowError("STORE_CONFLICT", `job ${jobId}: a document changed during the purge`);
}

async function standingJob(store: ArchiveStore, jobId: string): Promise<Stored<JobDocument>> {
  const job = await store.job(jobId);
  if (job === undefined) throw new WorkflowError("JOB_NOT_FOUND", `job ${jobId}: not found`);
  return job;
}

function failed(jobId: string, problem: string): WorkflowError {
  return new WorkflowError("DOCUMENT_INVALID", `export of job ${jobId}: ${problem}`);
}
