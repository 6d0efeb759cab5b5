// The emulators answer the clients that the app uses, with the settings that the host hands out.

import { CosmosClient } from "@azure/cosmos";
import { QueueServiceClient } from "@azure/storage-queue";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startStores, type Stores } from "../../src/local/emulators.ts";
import { waitForStores } from "../../src/local/reachable.ts";

let stores: Stores;

beforeAll(async () => {
  stores = await startStores();
});

afterAll(async () => {
  await stores.stop();
});

test("documents are created once and read back, over kept connections", async () => {
  const { COSMOS_ENDPOINT: endpoint, COSMOS_KEY: key } = stores.env;
  const connectionPolicy = { enableEndpointDiscovery: false };
  const client = new CosmosClient({ endpoint, key, connectionPolicy });
  const { database } = await client.databases.createIfNotExists({ id: "d" });
  const { container } = await database.containers.createIfNotExists({
    id: "c",
    partitionKey: "/pk",
  });
  const create = (id: string): Promise<unknown> => container.items.create({ id, pk: "p" });
  await Promise.all(Array.from({ length: 50 }, (_, n) => create(String(n))));
  await expect(create("7")).rejects.toMatchObject({ code: 409 });
  expect((await container.item("49", "p").read()).resource).toMatchObject({ id: "49" });
  client.dispose();
});

test("messages are hidden, counted and updated without losing their text", async () => {
  const service = QueueServiceClient.fromConnectionString(stores.env.AzureWebJobsStorage);
  const queue = service.getQueueClient("some-queue");
  await queue.create();
  await queue.sendMessage("text");
  const [first] = (await queue.receiveMessages({ visibilityTimeout: 30 })).receivedMessageItems;
  expect((await queue.receiveMessages()).receivedMessageItems).toEqual([]);
  await queue.updateMessage(first?.messageId ?? "", first?.popReceipt ?? "", undefined, 0);
  const [second] = (await queue.receiveMessages()).receivedMessageItems;
  expect(second).toMatchObject({ messageText: "text", dequeueCount: 2 });
});

test("stores that answer are reachable, others are named", async () => {
  await waitForStores(stores.env);
  const gone = { ...stores.env, COSMOS_ENDPOINT: "http://127.0.0.1:1" };
  await expect(waitForStores(gone, 300)).rejects.toThrow("COSMOS_ENDPOINT: nothing answers");
  const odd = { ...stores.env, COSMOS_ENDPOINT: "nowhere" };
  await expect(waitForStores(odd, 300)).rejects.toThrow("no valid address");
});
