// The poison queue and the partition of kept messages, for the poison function and for the
// operator's command. Bodies travel as base64, as the Functions host expects them; what stands in
// the queue without being base64 is taken as the text it is.
import type { QueueClient, ReceivedMessageItem } from "@azure/storage-queue";
import { instantOf } from "../core/instant.ts";
import type { JsonObject } from "../core/json.ts";
import { POISON_PARTITION } from "../runtime/kept-message.ts";
import type { PoisonBody } from "../runtime/kept-message.ts";
import type { PoisonPorts, StandingMessage, TakenMessage } from "../runtime/poison-desk.ts";
import { bodyOfBytes } from "../runtime/process-poison.ts";
import type { PoisonQueue } from "../runtime/process-poison.ts";
import type { CosmosHandle } from "./cosmos-client.ts";
import { retrying, systemPace } from "./cosmos-request.ts";
import { JOURNAL_CONTAINER, POISON_QUEUE, WORK_QUEUE } from "./names.ts";
import type { QueueHandle } from "./storage-queue.ts";

const NEVER_EXPIRES = -1;
/** What the service gives at once. */
const BATCH = 32;
/** Long enough to keep, send and record one message. */
const IN_HAND_SECONDS = 60;
/** So many messages are looked through for one of them. */
const MAX_BATCHES = 32;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function poisonQueue(handle: QueueHandle): PoisonQueue {
  return {
    send: (body, delaySeconds) => sendTo(handle, { queue: POISON_QUEUE, body, delaySeconds }),
  };
}

export function keptList(cosmos: CosmosHandle): PoisonPorts["kept"] {
  const fields = ["id", "at", "bytes", "encoding", "cut", "message", "kept_id", "n"];
  const query =
    `SELECT TOP @limit ${fields.map((field) => `c.${field}`).join(", ")} FROM c ` +
    "WHERE c.job_id = @partition";
  return {
    list: (limit) =>
      retrying(
        `query in ${JOURNAL_CONTAINER}`,
        async () => {
          const container = await cosmos.container(JOURNAL_CONTAINER);
          const parameters = [
            { name: "@limit", value: limit },
            { name: "@partition", value: POISON_PARTITION },
          ];
          const spec = { query, parameters };
          // One partition: what it costs grows with what was kept, not with the journal.
          const options = { partitionKey: POISON_PARTITION };
          const answer = await container.items.query<JsonObject>(spec, options).fetchAll();
          return answer.resources;
        },
        systemPace,
      ),
  };
}

export function poisonQueues(handle: QueueHandle): PoisonPorts["queues"] {
  return {
    peek: () =>
      handle.use("peek", POISON_QUEUE, async (client) => {
        const answer = await client.peekMessages({ numberOfMessages: BATCH });
        return answer.peekedMessageItems.map(standing);
      }),
    take: (messageId) => handle.use("receive", POISON_QUEUE, (client) => take(client, messageId)),
    sendWork: (body) => sendTo(handle, { queue: WORK_QUEUE, body, delaySeconds: 0 }),
  };
}

function standing(item: {
  readonly messageId: string;
  readonly insertedOn: Date;
  readonly messageText: string;
}): StandingMessage {
  return {
    message_id: item.messageId,
    inserted_at: instantOf(item.insertedOn.getTime()),
    body: bodyOf(item.messageText),
  };
}

function bodyOf(raw: string): PoisonBody {
  if (!BASE64.test(raw)) return { text: raw, encoding: "text" };
  return bodyOfBytes(Buffer.from(raw, "base64"));
}

async function sendTo(
  handle: QueueHandle,
  given: { readonly queue: string; readonly body: PoisonBody; readonly delaySeconds: number },
): Promise<void> {
  const { text, encoding } = given.body;
  const encoded = encoding === "base64" ? text : Buffer.from(text, "utf8").toString("base64");
  await handle.use("send", given.queue, (client) =>
    client.sendMessage(encoded, {
      messageTimeToLive: NEVER_EXPIRES,
      visibilityTimeout: Math.ceil(given.delaySeconds),
    }),
  );
}

/** A queue hands out its head, not one by its id: the others are given back at once. */
async function take(client: QueueClient, messageId: string): Promise<TakenMessage | undefined> {
  const others: ReceivedMessageItem[] = [];
  let found: ReceivedMessageItem | undefined;
  for (let batch = 0; batch < MAX_BATCHES && found === undefined; batch += 1) {
    const answer = await client.receiveMessages({
      numberOfMessages: BATCH,
      visibilityTimeout: IN_HAND_SECONDS,
    });
    const items = answer.receivedMessageItems;
    if (items.length === 0) break;
    found = items.find((item) => item.messageId === messageId);
    others.push(...items.filter((item) => item.messageId !== messageId));
  }
  // What cannot be given back shows up by itself after a minute.
  const back = others.map((item) =>
    client.updateMessage(item.messageId, item.popReceipt, undefined, 0),
  );
  await Promise.allSettled(back);
  if (found === undefined) return undefined;
  const { messageText, popReceipt } = found;
  return {
    body: bodyOf(messageText),
    done: async () => {
      await client.deleteMessage(messageId, popReceipt);
    },
  };
}
