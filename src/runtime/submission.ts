// A submission, who sends it, and what it is checked and pinned with. The same request of the same
// caller has the same digest and, with a key, names the same job.
import { canonical } from "../core/canonical.ts";
import { uuidOf } from "../core/id.ts";
import type { JobState } from "../core/job.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { DefinitionCatalog } from "./definition-catalog.ts";
import type { Engine } from "./engine.ts";
import { sha256 } from "./hash.ts";
import type { OpenJobs } from "./open-jobs.ts";
import type { VersionRegistry } from "./version-registry.ts";

/** A submission as it was sent; members that were absent stay absent. */
export interface Submission {
  readonly workflow_id: string;
  readonly version?: number;
  readonly input_params?: JsonObject;
  readonly correlation_id?: string;
  readonly submitted_by?: string;
  readonly tags?: readonly string[];
}

export interface Caller {
  /** `key`, `anonymous` or `principal:<id>`: what the platform says. */
  readonly authenticated_as: string;
  readonly idempotency_key?: string;
}

export interface Submitted {
  readonly job: JobState;
  /** False where the same request had been accepted before. */
  readonly created: boolean;
}

export interface Submitter {
  readonly engine: Engine;
  readonly catalog: DefinitionCatalog;
  readonly versions: VersionRegistry;
  /** Settings HOLDFAST_VAR_*: overrides of `vars`, pinned at submission. */
  readonly vars: Readonly<Record<string, string>>;
  /** The brake on jobs that have not ended; absent for none. */
  readonly openJobs?: OpenJobs;
}

/** RFC 8785 over the request as sent: the same request has the same digest. */
export function digestOfRequest(submission: Submission): string {
  return `sha256:${sha256(canonical(submission as unknown as Json))}`;
}

export function idFor(engine: Engine, { workflow_id }: Submission, caller: Caller): string {
  const { authenticated_as, idempotency_key } = caller;
  if (idempotency_key === undefined) return engine.randomness.uuid(engine.clock.now());
  return uuidOf(sha256(canonical([authenticated_as, workflow_id, idempotency_key])));
}
