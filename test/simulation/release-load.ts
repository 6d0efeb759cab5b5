// Recorded releases as the upgrade tests read them: the engine of a release, the jobs that it left,
// and the engine of today under the same names. The folders are found, not listed, so a release
// that is recorded is tested from then on.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { AdvanceContext, Occurrence } from "../../src/core/effect.ts";
import type { JobStatus } from "../../src/core/job.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { QueuedText } from "../../src/memory/memory-queue.ts";
import type { JobDocument, JournalDocument } from "../../src/runtime/ports.ts";
import type { Submission } from "../../src/runtime/submission.ts";
import * as TODAY from "./release-kit.ts";

/** One build of the engine; `name` is its release, for people. */
export type ReleaseKit = typeof TODAY & { readonly name: string };

export const TODAYS_KIT: ReleaseKit = { ...TODAY, name: "today" };

/** A call of the reducer, with all that it was given; the state before it is told from the rest. */
export interface RecordedDecision {
  /** The call whose state this one went on from; by default the journal folded up to `seq`. */
  readonly after?: number;
  readonly seq: number;
  readonly occurrence: Occurrence;
  readonly context: Pick<
    AdvanceContext,
    "now" | "jitter" | "build" | "can_continue" | "watch" | "entry_bytes" | "oldest_message_at"
  >;
  /** `true` where the journal holds the document as it was given. */
  readonly loaded: Readonly<Record<string, JsonObject | null | true>>;
  /** Over events, objects and result, or over what it asked for. */
  readonly digest: string;
}

/** What a job became. */
export interface JobEnd {
  readonly status: JobStatus;
  readonly error_code?: string;
  readonly nodes: Readonly<Record<string, string>>;
  /** Without provenance. */
  readonly result_data: JsonObject;
}

export interface RecordedJob {
  readonly name: string;
  readonly about: string;
  readonly release: string;
  readonly job_id: string;
  readonly recorded_at: string;
  readonly journal: readonly JournalDocument[];
  /** The projection; absent where the submission was cut off before it. */
  readonly job?: JobDocument;
  readonly queue: readonly QueuedText[];
  /** Handlers of that build: name → declared version. */
  readonly handlers: Readonly<Record<string, string>>;
  readonly decisions: readonly RecordedDecision[];
  /** How that build itself ended the job. */
  readonly ends: JobEnd;
  /** Of a begun job: its submission, where it has an idempotency key. */
  readonly resubmit?: { readonly key: string; readonly submission: Submission };
}

const ROOT = path.join(import.meta.dirname, "..", "..");
const RELEASES = path.join(ROOT, "test", "fixtures", "releases");

export function releases(): readonly string[] {
  if (!existsSync(RELEASES)) return [];
  return readdirSync(RELEASES).sort();
}

/** The engine of a release; its classes are its own, for `instanceof` knows one build only. */
export async function loadKit(file: string, name: string): Promise<ReleaseKit> {
  const module = (await import(pathToFileURL(file).href)) as typeof TODAY;
  return { ...module, name };
}

export function loadRelease(release: string): Promise<ReleaseKit> {
  return loadKit(path.join(RELEASES, release, "engine.mjs"), release);
}

export function recordedJobs(release: string): readonly RecordedJob[] {
  const folder = path.join(RELEASES, release, "jobs");
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .sort()
    .map((file) => JSON.parse(readFileSync(path.join(folder, file), "utf8")) as RecordedJob);
}
