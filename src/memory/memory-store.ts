// The stores of the ports in memory: the reference of the contract suite and the stores of the
// simulation. They answer as Cosmos DB does, with its limits, and count requests under the names
// that the Cosmos adapter reports.
import { epochMs } from "../core/instant.ts";
import type { JsonObject } from "../core/json.ts";
import type { JobEnd } from "../core/stats.ts";
import type {
  DefinitionDocument,
  DefinitionStore,
  JobDocument,
  JobFilter,
  JobPage,
  JobStore,
  JournalDocument,
  JournalStore,
  StatementReport,
  StatsDocument,
  StatsStore,
  StoreAdmin,
} from "../runtime/ports.ts";
import type { ArchiveFilter, ArchiveRow, ArchiveStore } from "../runtime/job-archive.ts";
import {
  assertLimit,
  JOB_FILTERS,
  JOB_LIST_FIELDS,
  MAX_DUE,
  MAX_PAGE,
  pageOf,
  positionOf,
  sortOf,
} from "../runtime/job-list.ts";
import type { PagePosition } from "../runtime/job-list.ts";
import { MemoryDocuments } from "./memory-documents.ts";
import type { MemoryQueue } from "./memory-queue.ts";

export interface MemoryStoreOptions {
  /** Cleared by a rebuild, checked for readiness. */
  readonly queue?: MemoryQueue;
  /** What `mayRebuild` answers; an Entra identity would get false. */
  readonly mayRebuild?: boolean;
}

export class MemoryStore {
  readonly journal: JournalStore;
  readonly jobs: JobStore;
  readonly definitions: DefinitionStore;
  readonly stats: StatsStore;
  readonly admin: StoreAdmin;
  readonly #requests = new Map<string, number>();
  readonly #journal: MemoryDocuments;
  readonly #jobs: MemoryDocuments;

  constructor(options: MemoryStoreOptions = {}) {
    const count = (operation: string): void => {
      this.#requests.set(operation, (this.#requests.get(operation) ?? 0) + 1);
    };
    const definitions = new MemoryDocuments("definitions", count);
    this.#journal = new MemoryDocuments("journal", count);
    this.#jobs = new MemoryDocuments("jobs", count);
    this.journal = journalStore(this.#journal);
    this.jobs = jobStore(this.#jobs);
    this.definitions = definitionStore(definitions);
    const stats = new MemoryDocuments("stats", count);
    this.stats = statsStore(stats, this.#jobs);
    this.admin = storeAdmin([this.#journal, this.#jobs, stats, definitions], options);
  }

  /** Requests by operation, refused ones included: `journal.create`, `jobs.query` … */
  get requests(): ReadonlyMap<string, number> {
    return this.#requests;
  }

  get requestCount(): number {
    return [...this.#requests.values()].reduce((sum, count) => sum + count, 0);
  }

  resetRequests(): void {
    this.#requests.clear();
  }

  /** What an operator's identity may do beside; see job-archive.ts. */
  get archive(): ArchiveStore {
    return archiveStore(this.#jobs, this.#journal);
  }

  /** Every journal document of a job, in no order; for invariants, not a port. */
  journalOf(jobId: string): readonly JsonObject[] {
    return this.#journal.all().filter((document) => document["job_id"] === jobId);
  }

  /** Every job document; for invariants, not a port. */
  allJobs(): readonly JsonObject[] {
    return this.#jobs.all();
  }
}

function journalStore(documents: MemoryDocuments): JournalStore {
  return {
    create: async (document) => documents.create(document, document.job_id),
    read: async (jobId, id) => documents.read(id, jobId)?.document as JournalDocument | undefined,
  };
}

function jobStore(documents: MemoryDocuments): JobStore {
  return {
    create: async (document) => documents.create(document, document.job_id),
    async read(jobId) {
      const found = documents.read("job", jobId);
      return found && { document: asJob(found.document), etag: found.etag };
    },
    replace: async (document, etag) => documents.replace(document, document.job_id, etag),
    async due(now, limit, from = "") {
      assertLimit(limit, MAX_DUE);
      return documents
        .query()
        .map(asJob)
        .flatMap(({ job_id, wake_at }) => (wake_at === undefined ? [] : [{ job_id, wake_at }]))
        .filter(({ wake_at }) => wake_at <= now && wake_at >= from)
        .sort((a, b) => compare(a.wake_at, b.wake_at))
        .slice(0, limit);
    },
    list: async (filter) => page(documents, filter),
    async countOpen(authenticatedAs) {
      const open = documents.query().filter(({ wake_at }) => wake_at !== undefined);
      const isWanted = ({ authenticated_as }: JsonObject): boolean =>
        authenticatedAs === undefined || authenticated_as === authenticatedAs;
      return open.filter(isWanted).length;
    },
  };
}

function archiveStore(jobs: MemoryDocuments, journal: MemoryDocuments): ArchiveStore {
  return {
    find: async (filter, limit) =>
      jobs
        .query()
        .map(asJob)
        .filter((job) => isFound(job, filter))
        .slice(0, limit) as unknown as ArchiveRow[],
    job: (jobId) => jobStore(jobs).read(jobId),
    removeJob: async (jobId, etag) => jobs.remove("job", jobId, etag),
    entryZero: async (jobId) => journal.read("0", jobId),
    removeFromJournal: async (jobId, id, etag) => journal.remove(id, jobId, etag),
    async *journal(jobId) {
      yield* journal.partition(jobId);
    },
    async *journalIds(jobId) {
      for (const { document, etag } of journal.partition(jobId)) {
        const { id } = document as unknown as JournalDocument;
        yield { id, etag };
      }
    },
  };
}

function isFound(job: JobDocument, { ended_before, ...filter }: ArchiveFilter): boolean {
  const { completed_at } = job;
  const hasEnded = typeof completed_at === "string" && completed_at < ended_before;
  return hasEnded && isWanted(job, filter);
}

function page(documents: MemoryDocuments, filter: JobFilter): JobPage {
  assertLimit(filter.limit, MAX_PAGE);
  const after = positionOf(filter);
  const sign = sortOf(filter) === "created_at" ? 1 : -1;
  const rows = documents
    .query()
    .map(asJob)
    .filter((job) => isWanted(job, filter))
    .filter((job) => after === undefined || sign * comparePlaces(placeOf(job), after) > 0)
    .sort((a, b) => sign * comparePlaces(placeOf(a), placeOf(b)));
  return pageOf(rows.slice(0, filter.limit + 1).map(listed), filter);
}

function isWanted(job: JobDocument, filter: Omit<JobFilter, "limit">): boolean {
  const { status = [], tag, created_from, created_before } = filter;
  const tags = job["tags"];
  return (
    JOB_FILTERS.every((field) => filter[field] === undefined || job[field] === filter[field]) &&
    (status.length === 0 || status.includes(job.status)) &&
    (tag === undefined || (Array.isArray(tags) && tags.includes(tag))) &&
    (created_from === undefined || job.created_at >= created_from) &&
    (created_before === undefined || job.created_at < created_before)
  );
}

function placeOf({ created_at, job_id }: JobDocument): PagePosition {
  return [created_at, job_id];
}

function comparePlaces([at, id]: PagePosition, [otherAt, otherId]: PagePosition): number {
  return compare(at, otherAt) || compare(id, otherId);
}

function definitionStore(documents: MemoryDocuments): DefinitionStore {
  const read = (id: string, workflowId: string): DefinitionDocument | undefined =>
    documents.read(id, workflowId)?.document as unknown as DefinitionDocument | undefined;
  return {
    read: async (workflowId, version) => read(`version:${version}`, workflowId),
    async claim(document) {
      const known = read(document.id, document.workflow_id);
      if (known !== undefined) return known;
      documents.create(document, document.workflow_id);
      return document;
    },
  };
}

/** A document's own `updated_at` stands for when the store wrote it. */
function statsStore(documents: MemoryDocuments, jobs: MemoryDocuments): StatsStore {
  return {
    async read() {
      const found = documents.read("stats", "stats");
      return found && { document: found.document as unknown as StatsDocument, etag: found.etag };
    },
    async write(document, etag) {
      if (etag === undefined) {
        return documents.create(document, document.id) === "created" ? "written" : "conflict";
      }
      return documents.replace(document, document.id, etag) === "conflict" ? "conflict" : "written";
    },
    async ended(from, to, limit) {
      const isWanted = ({ updated_at, wake_at }: JobDocument): boolean => {
        const second = Math.floor(epochMs(updated_at) / 1000);
        return wake_at === undefined && second > from && second <= to;
      };
      return jobs.query().map(asJob).filter(isWanted).slice(0, limit) as unknown as JobEnd[];
    },
    count: async (status) => jobs.query().filter((job) => job["status"] === status).length,
  };
}

const CONTAINERS = ["journal", "jobs", "stats", "definitions"] as const;
const QUEUES = ["holdfast-work", "holdfast-work-poison"] as const;

function storeAdmin(
  containers: readonly MemoryDocuments[],
  options: MemoryStoreOptions,
): StoreAdmin {
  const done = (statement: string): StatementReport => ({ statement, ok: true });
  return {
    prepare: async () => [
      done("create database holdfast"),
      ...CONTAINERS.map((name) => done(`create container ${name}`)),
      ...QUEUES.map((name) => done(`create queue ${name}`)),
    ],
    mayRebuild: async () => options.mayRebuild ?? true,
    async rebuild() {
      options.queue?.clear();
      for (const container of containers) container.clear();
      return [
        ...QUEUES.flatMap((name) => [done(`create queue ${name}`), done(`clear queue ${name}`)]),
        done("create database holdfast"),
        ...CONTAINERS.flatMap((name) => [
          done(`drop container ${name}`),
          done(`create container ${name}`),
        ]),
      ];
    },
    check: async () => [...CONTAINERS, ...QUEUES].map((name) => ({ name })),
  };
}

function listed(job: JobDocument): JsonObject {
  const document = job as unknown as JsonObject;
  const shown: Record<string, JsonObject[string]> = {};
  for (const field of JOB_LIST_FIELDS) {
    const value = document[field];
    if (value !== undefined) shown[field] = value;
  }
  return shown;
}

/** What is stored came in through `create` or `replace` of the same type. */
function asJob(document: JsonObject): JobDocument {
  return document as unknown as JobDocument;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
