// The adapters under contract, opened fresh for each test: in memory, and Azure's against the
// emulators. What a port does not offer but a test must see is in `seen`.
import { randomUUID } from "node:crypto";
import { QueueServiceClient } from "@azure/storage-queue";
import { archiveStore } from "../../src/azure/archive-stores.ts";
import { cosmosHandle } from "../../src/azure/cosmos-client.ts";
import { cosmosStores } from "../../src/azure/cosmos-stores.ts";
import { WORK_QUEUE } from "../../src/azure/names.ts";
import { queueHandle, storageQueue } from "../../src/azure/storage-queue.ts";
import { storeAdmin } from "../../src/azure/store-admin.ts";
import { MemoryClock } from "../../src/memory/memory-clock.ts";
import { MemoryQueue } from "../../src/memory/memory-queue.ts";
import { MemoryStore } from "../../src/memory/memory-store.ts";
import type { ArchiveStore } from "../../src/runtime/job-archive.ts";
import type {
  DefinitionStore,
  JobStore,
  JournalStore,
  StatsStore,
  StoreAdmin,
  WorkQueue,
} from "../../src/runtime/ports.ts";
import type { TestStores } from "../support/stores.ts";

export interface Adapters {
  readonly journal: JournalStore;
  readonly jobs: JobStore;
  readonly definitions: DefinitionStore;
  readonly stats: StatsStore;
  readonly archive: ArchiveStore;
  readonly queue: WorkQueue;
  readonly admin: StoreAdmin;
  readonly seen: {
    /** Requests so far, by operation. */
    requests(): ReadonlyMap<string, number>;
    /** Takes the visible messages of the work queue and answers their texts, decoded. */
    texts(): Promise<readonly string[]>;
  };
}

export async function memoryAdapters(): Promise<Adapters> {
  const queue = new MemoryQueue({ clock: new MemoryClock() });
  const store = new MemoryStore({ queue });
  return {
    journal: store.journal,
    jobs: store.jobs,
    definitions: store.definitions,
    stats: store.stats,
    archive: store.archive,
    admin: store.admin,
    queue,
    seen: {
      requests: () => store.requests,
      texts: async () => queue.receive(32, 30).map(({ text }) => text),
    },
  };
}

export async function azureAdapters(stores: TestStores): Promise<Adapters> {
  const settings = stores.settings({ HOLDFAST_DATABASE: `db-${randomUUID().slice(0, 8)}` });
  const requests = new Map<string, number>();
  const cosmos = cosmosHandle({
    connection: settings.cosmos,
    database: settings.database,
    onRequest: (operation) => {
      // Each query is accompanied by a plan request, and each new container by one for its keys.
      if (operation.startsWith("metadata.") || operation.endsWith(".plan")) return;
      requests.set(operation, (requests.get(operation) ?? 0) + 1);
    },
  });
  const queues = queueHandle({ connection: settings.queues });
  const admin = storeAdmin({ cosmos, queues });
  await admin.prepare();
  await queues.use("clear", WORK_QUEUE, (client) => client.clearMessages());
  return {
    ...cosmosStores(cosmos),
    archive: archiveStore(cosmos),
    queue: storageQueue(queues),
    admin,
    seen: {
      requests: () => requests,
      texts: () => receivedTexts(stores.env["AzureWebJobsStorage"] ?? ""),
    },
  };
}

async function receivedTexts(connectionString: string): Promise<readonly string[]> {
  const service = QueueServiceClient.fromConnectionString(connectionString);
  const client = service.getQueueClient(WORK_QUEUE);
  const answer = await client.receiveMessages({ numberOfMessages: 32, visibilityTimeout: 30 });
  return answer.receivedMessageItems.map(({ messageText }) =>
    Buffer.from(messageText, "base64").toString(),
  );
}
