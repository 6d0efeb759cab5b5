// The work queue on Azure Storage: base64 JSON as the Functions host expects it, no expiry, an
// optional delay. The SDK tries again after a lost answer and may so send twice: a message is a
// hint, and a second one is dropped by whoever reads it. Connects at its first use.
import type { QueueClient, QueueServiceClient, StoragePipelineOptions } from "@azure/storage-queue";
import { WorkflowError } from "../core/error.ts";
import type { ErrorCode } from "../core/error.ts";
import { instantOf } from "../core/instant.ts";
import { inLineSince } from "../core/message.ts";
import type { QueueLengths, WorkQueue } from "../runtime/ports.ts";
import type { QueueConnection } from "./connection-settings.ts";
import type { RequestHook } from "./cosmos-client.ts";
import { credentialOf } from "./credential.ts";
import { QUEUE_NAMES, WORK_QUEUE } from "./names.ts";

export interface QueueOptions {
  readonly connection: QueueConnection;
  /** Told of each call, not of the SDK's own retries: `queue.send`, `queue.peek`. */
  readonly onRequest?: RequestHook;
  readonly requestTimeoutMs?: number;
}

export interface QueueHandle {
  /**
   * Runs `call` on a queue. Errors, all retryable: ACCESS_DENIED, RESOURCE_MISSING,
   * QUEUE_UNAVAILABLE. `verb` is for their text.
   */
  use<T>(verb: string, queue: string, call: (client: QueueClient) => Promise<T>): Promise<T>;
}

const REQUEST_TIMEOUT_MS = 10_000;
const MAX_TRIES = 3;
const RETRY_DELAY_MS = 100;
const MAX_RETRY_DELAY_MS = 1_000;
/** The service's own bound for the visibility of a message. */
const MAX_DELAY_SECONDS = 7 * 24 * 3600;
/** 64 KiB on the queue after base64. */
const MAX_TEXT_BYTES = 48 * 1024;
const NEVER_EXPIRES = -1;
const MAX_ERROR_CHARS = 300;

export function queueHandle(options: QueueOptions): QueueHandle {
  let made: Promise<QueueServiceClient> | undefined;
  const service = (): Promise<QueueServiceClient> => {
    made ??= connect(options).catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
  return {
    async use(verb, queue, call) {
      const startedMs = performance.now();
      const tell = (outcome: string): void => {
        options.onRequest?.(`queue.${verb}`, outcome, { ms: performance.now() - startedMs });
      };
      try {
        const answer = await call((await service()).getQueueClient(queue));
        tell("200");
        return answer;
      } catch (error) {
        tell(statusOf(error) ?? "lost");
        throw queueError(`${verb} in queue "${queue}"`, error);
      }
    },
  };
}

export function storageQueue(handle: QueueHandle): WorkQueue {
  return {
    async send(message, delaySeconds) {
      const text = JSON.stringify(message);
      const bytes = Buffer.byteLength(text);
      if (bytes > MAX_TEXT_BYTES) {
        const problem = `expected at most ${MAX_TEXT_BYTES} bytes, got ${bytes}`;
        throw new WorkflowError("LIMIT_EXCEEDED", `message of job ${message.job_id}: ${problem}`);
      }
      const encoded = Buffer.from(text).toString("base64");
      await handle.use("send", WORK_QUEUE, (client) =>
        client.sendMessage(encoded, {
          messageTimeToLive: NEVER_EXPIRES,
          visibilityTimeout: wholeSeconds(delaySeconds),
        }),
      );
    },
    async oldest() {
      const answer = await handle.use("peek", WORK_QUEUE, (client) =>
        client.peekMessages({ numberOfMessages: 1 }),
      );
      const head = answer.peekedMessageItems[0];
      if (head === undefined) return undefined;
      const text = Buffer.from(head.messageText, "base64").toString();
      return inLineSince(text, instantOf(head.insertedOn.getTime()));
    },
  };
}

/** How many messages each queue of the app has, hidden ones included: approximate. */
export function queueLengths(handle: QueueHandle): QueueLengths {
  return {
    async read() {
      const lengths: Record<string, number> = {};
      for (const queue of QUEUE_NAMES) {
        const { approximateMessagesCount } = await handle.use("properties", queue, (client) =>
          client.getProperties(),
        );
        lengths[queue] = approximateMessagesCount ?? 0;
      }
      return lengths;
    },
  };
}

/** Up, so that a message is never seen before its time. */
function wholeSeconds(seconds: number): number {
  return seconds > 0 ? Math.min(Math.ceil(seconds), MAX_DELAY_SECONDS) : 0;
}

async function connect(options: QueueOptions): Promise<QueueServiceClient> {
  const { connection } = options;
  const { QueueServiceClient, StorageRetryPolicyType } = await import("@azure/storage-queue");
  const pipeline: StoragePipelineOptions = {
    retryOptions: {
      retryPolicyType: StorageRetryPolicyType.EXPONENTIAL,
      maxTries: MAX_TRIES,
      tryTimeoutInMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      retryDelayInMs: RETRY_DELAY_MS,
      maxRetryDelayInMs: MAX_RETRY_DELAY_MS,
    },
  };
  if (connection.kind === "connection_string") {
    return QueueServiceClient.fromConnectionString(connection.connectionString, pipeline);
  }
  const credential = await credentialOf(connection);
  return new QueueServiceClient(connection.endpoint, credential, pipeline);
}

function statusOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const status: unknown = Reflect.get(error, "statusCode");
  return typeof status === "number" ? String(status) : undefined;
}

function queueError(what: string, error: unknown): WorkflowError {
  if (error instanceof WorkflowError) return error;
  const text = error instanceof Error ? (error.message.split(/[\r\n]/, 1)[0] ?? "") : "";
  const answer = [statusOf(error), text.slice(0, MAX_ERROR_CHARS)].filter(Boolean).join(" ");
  return new WorkflowError(codeOf(error), `${what}: ${answer || "no answer"}`, {
    retryable: true,
    cause: error,
  });
}

function codeOf(error: unknown): ErrorCode {
  const status = statusOf(error);
  if (status === "401" || status === "403") return "ACCESS_DENIED";
  return isQueueMissing(error) ? "RESOURCE_MISSING" : "QUEUE_UNAVAILABLE";
}

/** A message that is gone is 404 as well, and has another code. */
function isQueueMissing(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  return Reflect.get(error, "code") === "QueueNotFound";
}
