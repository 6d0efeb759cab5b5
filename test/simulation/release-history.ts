// What a journal says of its job, and what of a decision becomes history: the two things that a
// recorded release and the engine of today must agree on.
import { canonical } from "../../src/core/canonical.ts";
import type { Decision } from "../../src/core/effect.ts";
import type { JobState } from "../../src/core/job.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { PROVENANCE_KEY } from "../../src/core/provenance.ts";
import type { JobEnd, ReleaseKit } from "./release-load.ts";

type Decided = Extract<Decision, { readonly kind: "decided" }>;

/** What of a decision becomes history, as a digest. */
export function historyDigest(
  kit: Pick<ReleaseKit, "sha256">,
  { events, objects, result_data }: Decided,
): string {
  const history = { events, objects, result_data: result_data ?? null };
  return kit.sha256(canonical(JSON.parse(JSON.stringify(history)) as Json));
}

/** What the journal alone says a job became. */
export function endOf(kit: ReleaseKit, documents: readonly JsonObject[]): JobEnd {
  const entries = documents.map((document) => kit.parseEntry(document));
  const folded = entries.reduce<JobState | undefined>(
    (job, entry) => kit.applyEntry(job, entry, kit.sha256),
    undefined,
  );
  const { [PROVENANCE_KEY]: _stamp, ...result_data } = entries.at(-1)?.result_data ?? {};
  if (folded === undefined) throw new Error("no entry");
  const nodes = Object.entries(folded.nodes).map(([id, node]) => [id, node.status] as const);
  return {
    status: folded.status,
    ...(folded.error === undefined ? {} : { error_code: folded.error.code }),
    nodes: Object.fromEntries(nodes),
    result_data,
  };
}
