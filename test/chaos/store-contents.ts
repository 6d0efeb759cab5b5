// What the stores hold, read straight through the vendors' SDKs, past proxy and app. Whoever calls
// it waits until the app has come to rest; nothing here changes a store but `drained`, which takes
// nothing away either: it only counts.
import { CosmosClient } from "@azure/cosmos";
import type { Container } from "@azure/cosmos";
import { QueueServiceClient } from "@azure/storage-queue";
import type { StoreSettings } from "../../src/local/emulators.ts";

/** A document as it is stored, without the members that the service adds. */
export type Stored = Readonly<Record<string, unknown>>;

export interface StoreContents {
  /** By job id: its documents by their ids. */
  readonly journal: ReadonlyMap<string, ReadonlyMap<string, Stored>>;
  /** By job id: the projection. */
  readonly jobs: ReadonlyMap<string, Stored>;
  /** Messages that are there, hidden ones included. */
  readonly queues: Readonly<Record<string, number>>;
}

const QUEUES = ["holdfast-work", "holdfast-work-poison"];
/** One page is one answer, which must fit a text. */
const PAGE = 10_000;

export interface StoreReader {
  contents(): Promise<StoreContents>;
  /** Jobs that the sweeper would still have to look at. */
  liveJobs(): Promise<readonly string[]>;
  /** How many jobs stand in each status, by their projections. */
  statuses(): Promise<Readonly<Record<string, number>>>;
  messages(): Promise<Readonly<Record<string, number>>>;
  close(): void;
}

export function storeReader(stores: StoreSettings, database: string): StoreReader {
  const client = new CosmosClient({
    endpoint: stores.COSMOS_ENDPOINT,
    key: stores.COSMOS_KEY,
    connectionPolicy: { enableEndpointDiscovery: false },
  });
  const container = (name: string): Container => client.database(database).container(name);
  const service = QueueServiceClient.fromConnectionString(stores.AzureWebJobsStorage);
  const messages = async (): Promise<Readonly<Record<string, number>>> => {
    const counts = await Promise.all(
      QUEUES.map(async (name) => {
        const queue = service.getQueueClient(name);
        if (!(await queue.exists())) return [name, 0] as const;
        const { approximateMessagesCount } = await queue.getProperties();
        return [name, approximateMessagesCount ?? 0] as const;
      }),
    );
    return Object.fromEntries(counts);
  };
  return {
    messages,
    async liveJobs() {
      const query = "SELECT c.job_id FROM c WHERE IS_DEFINED(c.wake_at)";
      const answer = container("jobs").items.query<{ readonly job_id: string }>(query);
      return (await answer.fetchAll()).resources.map(({ job_id }) => job_id);
    },
    async statuses() {
      const query = "SELECT c.status FROM c";
      const answer = container("jobs").items.query<{ readonly status: string }>(query);
      const counts: Record<string, number> = {};
      for (const { status } of (await answer.fetchAll()).resources) {
        counts[status] = (counts[status] ?? 0) + 1;
      }
      return counts;
    },
    async contents() {
      const journal = new Map<string, Map<string, Stored>>();
      for (const document of await all(container("journal"))) {
        const jobId = text(document["job_id"]);
        const documents = journal.get(jobId) ?? new Map<string, Stored>();
        documents.set(text(document["id"]), document);
        journal.set(jobId, documents);
      }
      const jobs = new Map<string, Stored>();
      for (const document of await all(container("jobs"))) {
        jobs.set(text(document["job_id"]), document);
      }
      return { journal, jobs, queues: await messages() };
    },
    close: () => client.dispose(),
  };
}

async function all(container: Container): Promise<readonly Stored[]> {
  const { resources } = await container.items.readAll({ maxItemCount: PAGE }).fetchAll();
  return resources.map((item) => {
    const { _rid, _self, _etag, _attachments, _ts, ...document } = item as Stored;
    return document;
  });
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
