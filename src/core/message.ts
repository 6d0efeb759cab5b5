// What travels on the work queue: ids only, never a snapshot or a payload. A message is a hint; the
// journal decides. No field may be called id, dequeueCount, popReceipt, insertionTime,
// expirationTime, nextVisibleTime or queueTrigger: the Functions host overwrites the trigger's own.
import * as z from "zod";
import { NODE_ID } from "./definition.ts";
import { epochMs, instantOf, later } from "./instant.ts";
import type { Instant } from "./instant.ts";

export const MESSAGE_SCHEMA = 1;

/**
 * `start`: a new job. `task`: start this attempt of this node. `chunk`: work on these items.
 * `wake`: fold to the end, judge leases, send what is due.
 */
export const messageSchema = z.object({
  v: z.int().min(1),
  kind: z.enum(["start", "task", "chunk", "wake"]),
  job_id: z.uuid(),
  node_id: z.string().regex(NODE_ID).exactOptional(),
  chunk: z.int().min(0).exactOptional(),
  attempt: z.int().min(1).exactOptional(),
  /** The entry that the reader must at least have seen. */
  rev: z.int().min(0),
  first_sent_at: z.iso.datetime(),
  /** How often the message was put back to wait for the world. */
  deferrals: z.int().min(0),
  traceparent: z.string().max(100).exactOptional(),
});

const dueSchema = messageSchema.pick({ first_sent_at: true });

export type Message = z.output<typeof messageSchema>;
export type MessageKind = Message["kind"];

/** Since when a message stands in line: one that was delayed says itself when it was due. */
export function inLineSince(text: string, insertedAt: Instant): Instant {
  try {
    const { first_sent_at } = dueSchema.parse(JSON.parse(text));
    return later(insertedAt, instantOf(epochMs(first_sent_at)));
  } catch {
    // Not a message of ours.
    return insertedAt;
  }
}
