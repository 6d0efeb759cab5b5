// The archive on Cosmos DB: the one place that deletes, for an operator's identity alone. Deletes
// go by etag; one whose answer was lost is asked again, and what is gone by then was removed.
import type { Container, FeedOptions } from "@azure/cosmos";
import * as z from "zod";
import { WorkflowError } from "../core/error.ts";
import type { JsonObject } from "../core/json.ts";
import type { ArchiveStore, Removal } from "../runtime/job-archive.ts";
import type { Stored } from "../runtime/ports.ts";
import type { CosmosHandle } from "./cosmos-client.ts";
import { CosmosDocuments, withoutSystemMembers } from "./cosmos-documents.ts";
import { cosmosStores } from "./cosmos-stores.ts";
import { failureOf } from "./cosmos-failure.ts";
import { retrying, systemPace } from "./cosmos-request.ts";
import { archiveQuery } from "./job-query.ts";
import { JOBS_CONTAINER, JOURNAL_CONTAINER } from "./names.ts";

/** A page of documents of up to 2 MB each; the service gives less where they are large. */
const PAGE = 100;

const rowSchema = z.object({
  job_id: z.string().min(1),
  status: z.string(),
  workflow_id: z.string(),
  workflow_version: z.int(),
  created_at: z.string(),
  completed_at: z.string().exactOptional(),
});

const idSchema = z.object({ id: z.string(), _etag: z.string() });

export function archiveStore(handle: CosmosHandle): ArchiveStore {
  const jobs = new CosmosDocuments(handle, systemPace, JOBS_CONTAINER);
  const journal = new CosmosDocuments(handle, systemPace, JOURNAL_CONTAINER);
  const { jobs: projections } = cosmosStores(handle);
  return {
    async find(filter, limit) {
      const rows = await jobs.query(archiveQuery(filter, Object.keys(rowSchema.shape), limit));
      return rows.map((row) => rowSchema.parse(row));
    },
    job: (jobId) => projections.read(jobId),
    removeJob: (jobId, etag) => removed(handle, { name: JOBS_CONTAINER, id: "job", jobId, etag }),
    entryZero: (jobId) => journal.read("0", jobId),
    removeFromJournal: (jobId, id, etag) =>
      removed(handle, { name: JOURNAL_CONTAINER, id, jobId, etag }),
    async *journal(jobId) {
      for await (const item of itemsOf(handle, jobId, "*")) yield stored(item);
    },
    async *journalIds(jobId) {
      for await (const item of itemsOf(handle, jobId, "c.id, c._etag")) {
        const { id, _etag: etag } = idSchema.parse(item);
        yield { id, etag };
      }
    },
  };
}

function stored(item: JsonObject): Stored<JsonObject> {
  return { document: withoutSystemMembers(item), etag: idSchema.parse(item)._etag };
}

/** The items of one job's partition, a page at a time. The emulator needs to be told twice. */
async function* itemsOf(
  handle: CosmosHandle,
  jobId: string,
  members: string,
): AsyncGenerator<JsonObject> {
  const query = {
    query: `SELECT ${members} FROM c WHERE c.job_id = @job_id`,
    parameters: [{ name: "@job_id", value: jobId }],
  };
  const container = await handle.container(JOURNAL_CONTAINER);
  let continuationToken: string | undefined;
  do {
    const options: FeedOptions = {
      partitionKey: jobId,
      maxItemCount: PAGE,
      ...(continuationToken === undefined ? {} : { continuationToken }),
    };
    const page = await retrying(
      `query in ${JOURNAL_CONTAINER}`,
      () => container.items.query<JsonObject>(query, options).fetchNext(),
      systemPace,
    );
    yield* page.resources ?? [];
    continuationToken = page.continuationToken;
  } while (continuationToken !== undefined && continuationToken !== "");
}

interface Target {
  readonly name: string;
  readonly id: string;
  readonly jobId: string;
  readonly etag: string;
}

function removed(handle: CosmosHandle, target: Target): Promise<Removal> {
  const { name, id, jobId, etag } = target;
  return retrying(
    `delete in ${name}`,
    async () => {
      const container: Container = await handle.container(name);
      try {
        const accessCondition = { type: "IfMatch", condition: etag };
        await container.item(id, jobId).delete({ accessCondition });
      } catch (error) {
        const { verdict } = failureOf(error);
        if (verdict === "conflict") return "changed";
        if (verdict === "denied") throw denied(name, error);
        if (verdict !== "missing") throw error;
      }
      return "removed";
    },
    systemPace,
  );
}

function denied(name: string, cause: unknown): WorkflowError {
  const message = `delete in ${name}: this identity may not delete, and the app's must not`;
  return new WorkflowError("ACCESS_DENIED", message, { cause });
}
