// The storage-queue trigger of one function: polls with back-off, runs up to batchSize +
// newBatchThreshold messages at once, holds each message by a lease that it renews at half time,
// and deletes, releases or moves it to the poison queue as the Functions host does. At least once:
// a duplicate is possible whenever a lease is lost or a delete fails.

import { setTimeout as pause } from "node:timers/promises";
import type { QueueClient, ReceivedMessageItem } from "@azure/storage-queue";
import type { QueueSettings } from "./host-json.ts";
import type { HostLog } from "./host-log.ts";
import { createPolling } from "./polling.ts";
import { decodeMessage, queueMetadata } from "./queue-message.ts";
import type { TypedData } from "./rpc.ts";
import { codeOf, messageOf } from "./startup-problem.ts";

export interface QueueListenerOptions {
  readonly functionName: string;
  readonly queue: QueueClient;
  /** Undefined for a queue that has none: one that is a poison queue itself. */
  readonly poison: QueueClient | undefined;
  readonly settings: QueueSettings;
  readonly log: HostLog;
  readonly run: (input: TypedData, metadata: Readonly<Record<string, TypedData>>) => Promise<void>;
}

export interface QueueListener {
  /** Stops asking for messages; those in hand run on. Resolves when the polling has ended. */
  stop(): Promise<void>;
  /** Resolves when no message is in hand. */
  idle(): Promise<void>;
}

interface Held {
  readonly message: ReceivedMessageItem;
  /** Changes with every renewal. */
  popReceipt: string;
}

export function startQueueListener(options: QueueListenerOptions): QueueListener {
  const stopping = new AbortController();
  const inHand = new Set<Promise<void>>();
  const polling = poll(options, inHand, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await polling;
    },
    async idle() {
      while (inHand.size > 0) {
        await Promise.all(inHand);
      }
    },
  };
}

async function poll(
  options: QueueListenerOptions,
  inHand: Set<Promise<void>>,
  signal: AbortSignal,
): Promise<void> {
  const { settings } = options;
  const polling = createPolling(settings.maxPollingIntervalMs, Math.random);
  const receive = receiver(options);
  // One promise that all waits race would remember each of them for as long as the host runs.
  let wake = (): void => undefined;
  signal.addEventListener("abort", () => wake(), { once: true });
  while (!signal.aborted) {
    const messages = await receive();
    if (signal.aborted) {
      await Promise.all(messages.map((message) => giveBack(options, message)));
      return;
    }
    for (const message of messages) {
      const work: Promise<void> = handle(options, message).finally(() => {
        inHand.delete(work);
        wake();
      });
      inHand.add(work);
    }
    if (messages.length === 0) {
      await pause(polling.next(), undefined, { signal }).catch(() => undefined);
    } else {
      polling.reset();
      while (inHand.size > settings.newBatchThreshold && !signal.aborted) {
        await new Promise<void>((resume) => {
          wake = resume;
        });
      }
    }
  }
}

/** Receives a batch; a failure is an empty batch, logged when it begins and when it ends. */
function receiver(options: QueueListenerOptions): () => Promise<readonly ReceivedMessageItem[]> {
  const { queue, settings } = options;
  let failing: string | undefined;
  return async () => {
    try {
      const answer = await queue.receiveMessages({
        numberOfMessages: settings.batchSize,
        visibilityTimeout: settings.leaseSeconds,
      });
      if (failing !== undefined) {
        note(options, "information", `Queue "${queue.name}" answers again.`);
        failing = undefined;
      }
      return answer.receivedMessageItems;
    } catch (error) {
      // A missing queue is normal: it is polled, not created.
      const code = codeOf(error) ?? messageOf(error);
      if (code !== "QueueNotFound" && code !== failing) {
        failing = code;
        note(options, "warning", `Queue "${queue.name}" could not be read: ${code}.`);
      }
      return [];
    }
  };
}

/** A batch that arrived while stopping is not held for ten minutes. Never rejects. */
async function giveBack(
  { queue }: QueueListenerOptions,
  message: ReceivedMessageItem,
): Promise<void> {
  const { messageId, popReceipt } = message;
  await queue.updateMessage(messageId, popReceipt, undefined, 0).catch(() => undefined);
}

/** Never rejects: whatever goes wrong with one message is logged, and its lease runs out. */
async function handle(options: QueueListenerOptions, message: ReceivedMessageItem): Promise<void> {
  const held: Held = { message, popReceipt: message.popReceipt };
  try {
    const text = decodeMessage(message.messageText, options.settings.messageEncoding);
    if (text === undefined) {
      note(options, "warning", `Message ${message.messageId} is not base64; it is not run.`);
      await toPoison(options, held);
    } else if (message.dequeueCount > options.settings.maxDequeueCount) {
      await toPoison(options, held);
    } else {
      await runMessage(options, held, text);
    }
  } catch (error) {
    note(options, "error", `Message ${message.messageId} was not settled: ${messageOf(error)}`);
  }
}

async function runMessage(
  options: QueueListenerOptions,
  held: Held,
  text: string,
): Promise<void> {
  const { message } = held;
  const metadata = queueMetadata(
    {
      id: message.messageId,
      popReceipt: message.popReceipt,
      dequeueCount: message.dequeueCount,
      insertedAt: message.insertedOn.toISOString(),
      expiresAt: message.expiresOn.toISOString(),
      nextVisibleAt: message.nextVisibleOn.toISOString(),
    },
    text,
  );
  const renewal = keepLease(options, held);
  let succeeded = false;
  try {
    await options.run({ string: text }, metadata);
    succeeded = true;
  } catch (error) {
    note(options, "error", `Executed (Failed): ${messageOf(error)}`);
  }
  await renewal.stop();
  if (succeeded) {
    await gone(options.queue.deleteMessage(message.messageId, held.popReceipt));
  } else if (message.dequeueCount >= options.settings.maxDequeueCount) {
    await toPoison(options, held);
  } else {
    await release(options, held);
  }
}

/** Renews at half time; after a failure sooner, until the lease is lost. */
function keepLease(options: QueueListenerOptions, held: Held): { stop(): Promise<void> } {
  const { queue, settings } = options;
  const done = new AbortController();
  const halfMs = settings.leaseSeconds * 500;
  const renew = async (): Promise<void> => {
    let delayMs = halfMs;
    for (;;) {
      await pause(delayMs, undefined, { signal: done.signal, ref: false });
      try {
        const { messageId } = held.message;
        const answer = await queue.updateMessage(
          messageId,
          held.popReceipt,
          undefined,
          settings.leaseSeconds,
        );
        held.popReceipt = answer.popReceipt ?? held.popReceipt;
        delayMs = halfMs;
        note(options, "debug", `Lease of message ${messageId} renewed.`);
      } catch (error) {
        const code = codeOf(error) ?? messageOf(error);
        note(options, "warning", `A lease was not renewed (${held.message.messageId}): ${code}.`);
        if (isGone(error)) {
          return;
        }
        delayMs = Math.max(halfMs / 5, 100);
      }
    }
  };
  // Ends by abort, with nothing left to say.
  const renewing = renew().catch(() => undefined);
  return {
    async stop() {
      done.abort();
      await renewing;
    },
  };
}

async function release(options: QueueListenerOptions, held: Held): Promise<void> {
  if (options.poison === undefined) {
    // Without a poison queue a quick return could loop for ever: the lease has to run out.
    return;
  }
  const seconds = Math.trunc(options.settings.visibilityTimeoutMs / 1000);
  const { messageId } = held.message;
  await gone(options.queue.updateMessage(messageId, held.popReceipt, undefined, seconds));
}

async function toPoison(options: QueueListenerOptions, held: Held): Promise<void> {
  const { poison, queue } = options;
  const { messageId, messageText } = held.message;
  if (poison === undefined) {
    note(options, "warning", `Message ${messageId} stays: "${queue.name}" has no poison queue.`);
    return;
  }
  note(options, "warning", `Message ${messageId} is moved to "${poison.name}".`);
  try {
    await poison.sendMessage(messageText);
  } catch (error) {
    if (codeOf(error) !== "QueueNotFound") {
      throw error;
    }
    await poison.createIfNotExists();
    await poison.sendMessage(messageText);
  }
  await gone(queue.deleteMessage(messageId, held.popReceipt));
}

/** A message that somebody else has taken or deleted meanwhile is no error. */
async function gone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isGone(error)) {
      throw error;
    }
  }
}

function isGone(error: unknown): boolean {
  return ["MessageNotFound", "PopReceiptMismatch", "QueueNotFound"].includes(codeOf(error) ?? "");
}

function note(
  { functionName, log }: QueueListenerOptions,
  level: "debug" | "information" | "warning" | "error",
  message: string,
): void {
  log({ level, category: `Function.${functionName}`, message });
}
