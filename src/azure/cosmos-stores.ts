// The stores of the ports on Cosmos DB. A document goes in and comes out as it is; what comes out
// is checked for the members that every document must have, and everything else in it is kept.
import * as z from "zod";
import { WorkflowError } from "../core/error.ts";
import type { JsonObject } from "../core/json.ts";
import { safeParse } from "../core/safe-parse.ts";
import type {
  DefinitionStore,
  JobStore,
  JournalStore,
  StatsDocument,
  StatsStore,
} from "../runtime/ports.ts";
import type { CosmosHandle } from "./cosmos-client.ts";
import { CosmosDocuments } from "./cosmos-documents.ts";
import { systemPace } from "./cosmos-request.ts";
import type { Pace } from "./cosmos-request.ts";
import { pageOf } from "../runtime/job-list.ts";
import { dueQuery, endedQuery, listQuery, openQuery, statusQuery } from "./job-query.ts";
import {
  DEFINITIONS_CONTAINER,
  JOBS_CONTAINER,
  JOURNAL_CONTAINER,
  STATS_CONTAINER,
} from "./names.ts";

export interface CosmosStores {
  readonly journal: JournalStore;
  readonly jobs: JobStore;
  readonly definitions: DefinitionStore;
  readonly stats: StatsStore;
}

const written = {
  schema: z.int().min(1),
  write_id: z.string().min(1),
  ttl: z.int().min(1).exactOptional(),
};

const journalSchema = z.looseObject({ ...written, id: z.string().min(1), job_id: z.string() });

const jobSchema = z.looseObject({
  ...written,
  id: z.literal("job"),
  job_id: z.string(),
  seq: z.int().min(0),
  status: z.string(),
  workflow_id: z.string(),
  workflow_version: z.int().min(1),
  workflow_digest: z.string(),
  correlation_id: z.string().exactOptional(),
  idempotency_key: z.string().exactOptional(),
  created_at: z.string(),
  updated_at: z.string(),
  wake_at: z.string().exactOptional(),
});

const definitionSchema = z.looseObject({
  ...written,
  id: z.string().min(1),
  workflow_id: z.string(),
  version: z.int().min(1),
  workflow_digest: z.string(),
  source_digest: z.string(),
  source: z.string(),
  created_at: z.string(),
});

const statsSchema = z.looseObject({
  ...written,
  id: z.literal("stats"),
  through: z.int().min(0),
  open: z.record(z.string(), z.int()),
  stats: z.looseObject({}),
});

const endSchema = z.object({
  workflow_id: z.string(),
  workflow_version: z.int().min(1),
  status: z.string(),
  started_at: z.string().exactOptional(),
  completed_at: z.string(),
});

const countSchema = z.int().min(0);

const dueSchema = z.object({ job_id: z.string().min(1), wake_at: z.string() });

/** Making the stores connects to nothing; their first use does. */
export function cosmosStores(handle: CosmosHandle, pace: Pace = systemPace): CosmosStores {
  const jobs = new CosmosDocuments(handle, pace, JOBS_CONTAINER);
  return {
    journal: journalStore(new CosmosDocuments(handle, pace, JOURNAL_CONTAINER)),
    jobs: jobStore(jobs),
    stats: statsStore(new CosmosDocuments(handle, pace, STATS_CONTAINER), jobs),
    definitions: definitionStore(new CosmosDocuments(handle, pace, DEFINITIONS_CONTAINER)),
  };
}

function journalStore(documents: CosmosDocuments): JournalStore {
  return {
    create: (document) => documents.create(document, document.job_id),
    async read(jobId, id) {
      const found = await documents.read(id, jobId);
      return found && parsed(journalSchema, found.document);
    },
  };
}

function jobStore(documents: CosmosDocuments): JobStore {
  return {
    create: (document) => documents.create(document, document.job_id),
    async read(jobId) {
      const found = await documents.read("job", jobId);
      return found && { document: parsed(jobSchema, found.document), etag: found.etag };
    },
    replace: (document, etag) => documents.replace(document, document.job_id, etag),
    async due(now, limit, from) {
      const rows = await documents.query(dueQuery(now, limit, from));
      return rows.map((row) => parsed(dueSchema, row));
    },
    async list(filter) {
      return pageOf(await documents.query(listQuery(filter)), filter);
    },
    async countOpen(authenticatedAs) {
      const rows = await documents.query<unknown>(openQuery(authenticatedAs));
      return countSchema.parse(rows[0]);
    },
  };
}

function statsStore(documents: CosmosDocuments, jobs: CosmosDocuments): StatsStore {
  return {
    async read() {
      const found = await documents.read("stats", "stats");
      if (found === undefined) return undefined;
      const document = parsed(statsSchema, found.document) as unknown as StatsDocument;
      return { document, etag: found.etag };
    },
    async write(document, etag) {
      if (etag === undefined) {
        const outcome = await documents.create(document, document.id);
        return outcome === "created" ? "written" : "conflict";
      }
      const outcome = await documents.replace(document, document.id, etag);
      return outcome === "conflict" ? "conflict" : "written";
    },
    async ended(from, to, limit) {
      const rows = await jobs.query(endedQuery(from, to, limit));
      return rows.map((row) => parsed(endSchema, row));
    },
    async count(status) {
      return countSchema.parse((await jobs.query<unknown>(statusQuery(status)))[0]);
    },
  };
}

function definitionStore(documents: CosmosDocuments): DefinitionStore {
  const read = async (id: string, workflowId: string) => {
    const found = await documents.read(id, workflowId);
    return found && parsed(definitionSchema, found.document);
  };
  return {
    read: (workflowId, version) => read(`version:${version}`, workflowId),
    async claim(document) {
      // Nearly every claim meets a version that is known, and a read costs a sixth of a 409.
      const known = await read(document.id, document.workflow_id);
      if (known !== undefined) return known;
      const outcome = await documents.create(document, document.workflow_id);
      if (outcome === "created") return document;
      const first = await read(document.id, document.workflow_id);
      if (first !== undefined) return first;
      const what = `definition "${document.workflow_id}" ${document.id}`;
      throw new WorkflowError("STORE_UNAVAILABLE", `${what}: exists, but is not seen yet`, {
        retryable: true,
      });
    },
  };
}

function parsed<T>(schema: z.ZodType<T>, document: JsonObject): T {
  const result = safeParse(schema, document);
  if (result.success) return result.data;
  const where = result.error.issues[0];
  const problem = `${where?.path.join(".") ?? ""}: ${where?.message ?? "not as expected"}`;
  throw new WorkflowError("DOCUMENT_INVALID", `stored document "${idOf(document)}": ${problem}`);
}

function idOf(document: JsonObject): string {
  const { job_id, workflow_id, id } = document;
  return [job_id ?? workflow_id, id].filter((part) => typeof part === "string").join("/");
}
