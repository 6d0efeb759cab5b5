// The stores of a simulated world: the memory containers, each write numbered, so that a read can
// show what stood there some writes ago. Everything happens at once; the world decides when.
import { instantOf } from "../../src/core/instant.ts";
import type { Instant } from "../../src/core/instant.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { MemoryDocuments } from "../../src/memory/memory-documents.ts";
import type {
  DefinitionDocument,
  DueJob,
  JobDocument,
  JournalDocument,
  Stored,
} from "../../src/runtime/ports.ts";

interface Version {
  readonly number: number;
  readonly stored: Stored<JobDocument>;
}

/** Told of every write that took effect. */
export interface Witness {
  journal(document: JournalDocument): void;
  job(document: JobDocument): void;
}

const UNCOUNTED = (): void => undefined;

export class SimStore {
  readonly #journal = new MemoryDocuments("journal", UNCOUNTED);
  readonly #jobs = new MemoryDocuments("jobs", UNCOUNTED);
  readonly #definitions = new MemoryDocuments("definitions", UNCOUNTED);
  readonly #created = new Map<string, number>();
  readonly #versions = new Map<string, Version[]>();
  readonly #witness: Witness;
  #writes = 0;

  constructor(witness: Witness) {
    this.#witness = witness;
  }

  createEntry(document: JournalDocument): "created" | "exists" {
    const { job_id, id } = document;
    const created = this.#journal.create(document, job_id);
    if (created === "exists") return created;
    this.#writes += 1;
    this.#created.set(`${job_id}/${id}`, this.#writes);
    this.#witness.journal(this.entry(job_id, id) ?? document);
    return created;
  }

  /** As it was `lag` writes ago. */
  readEntry(jobId: string, id: string, lag: number): JournalDocument | undefined {
    if (lag > 0 && (this.#created.get(`${jobId}/${id}`) ?? 0) > this.#writes - lag) {
      return undefined;
    }
    return this.entry(jobId, id);
  }

  createJob(document: JobDocument): "created" | "exists" {
    const created = this.#jobs.create(document, document.job_id);
    if (created === "created") this.#wrote(document.job_id);
    return created;
  }

  readJob(jobId: string, lag: number): Stored<JobDocument> | undefined {
    const versions = this.#versions.get(jobId);
    if (versions === undefined) return undefined;
    return versions.findLast(({ number }) => number <= this.#writes - lag)?.stored;
  }

  replaceJob(document: JobDocument, etag: string): { readonly etag: string } | "conflict" {
    const replaced = this.#jobs.replace(document, document.job_id, etag);
    if (replaced !== "conflict") this.#wrote(document.job_id);
    return replaced;
  }

  /** Another writer renews a lease: nothing changes but the etag. */
  touchJob(jobId: string, writeId: string): void {
    const stored = this.readJob(jobId, 0);
    if (stored === undefined) return;
    this.replaceJob({ ...stored.document, write_id: writeId }, stored.etag);
  }

  due(
    now: Instant,
    given: { readonly limit: number; readonly from: Instant; readonly lag: number },
  ): readonly DueJob[] {
    return this.jobIds()
      .flatMap((id) => this.readJob(id, given.lag)?.document ?? [])
      .flatMap(({ job_id, wake_at }) => (wake_at === undefined ? [] : [{ job_id, wake_at }]))
      .filter(({ wake_at }) => wake_at <= now && wake_at >= given.from)
      .sort((a, b) => (a.wake_at < b.wake_at ? -1 : 1))
      .slice(0, given.limit);
  }

  claim(document: DefinitionDocument): DefinitionDocument {
    const { id, workflow_id } = document;
    const known = this.#definitions.read(id, workflow_id);
    if (known !== undefined) return known.document as unknown as DefinitionDocument;
    this.#definitions.create(document, workflow_id);
    return document;
  }

  read(workflowId: string, version: number): DefinitionDocument | undefined {
    const known = this.#definitions.read(`version:${version}`, workflowId);
    return known?.document as unknown as DefinitionDocument | undefined;
  }

  /** For a checker's eyes. */
  entry(jobId: string, id: string): JournalDocument | undefined {
    return this.#journal.read(id, jobId)?.document as JournalDocument | undefined;
  }

  /** Every journal document of a job, for a checker's eyes. */
  journalOf(jobId: string): readonly JsonObject[] {
    return this.#journal.all().filter((document) => document["job_id"] === jobId);
  }

  jobIds(): readonly string[] {
    return [...this.#versions.keys()];
  }

  #wrote(jobId: string): void {
    this.#writes += 1;
    const stored = this.#jobs.read("job", jobId);
    if (stored === undefined) return;
    const version = { number: this.#writes, stored: stored as unknown as Stored<JobDocument> };
    const versions = this.#versions.get(jobId);
    if (versions === undefined) this.#versions.set(jobId, [version]);
    else versions.push(version);
    this.#witness.job(version.stored.document);
  }
}

/** Where the clocks of every world begin. */
export const EPOCH_MS = Date.parse("2026-01-01T00:00:00.000Z");

export function instantAt(ms: number): Instant {
  return instantOf(EPOCH_MS + ms);
}
