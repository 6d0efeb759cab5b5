// Where each mutant is known to die, so that the small run need not search for it. Only a short
// cut: where it does not die there any more, it is searched for as in the long run.
import type { Mode } from "../../simulation/plan.ts";

/** A schedule, or the crash points of the scenarios whose names begin so, up to the colon. */
type Death =
  | { readonly mode: Mode; readonly seed: number }
  | { readonly scenarios: string };

export const DEATHS: Readonly<Record<string, Death>> = {
  "accepted-too-early": { mode: "fault_free", seed: 1 },
  "ack-failed": { mode: "no_rescue", seed: 74 },
  "ack-unseen": { mode: "no_rescue", seed: 4 },
  "any-write-id": { mode: "all", seed: 718 },
  "chunk-fence": { mode: "all", seed: 503 },
  "chunk-lease-unread": { mode: "all", seed: 140 },
  "claim-twice": { mode: "all", seed: 16 },
  "claim-unread": { mode: "all", seed: 287 },
  "end-without-waiting": { mode: "fault_free", seed: 4 },
  "ending-starts-work": { mode: "fault_free", seed: 18 },
  "every-branch": { mode: "fault_free", seed: 62 },
  "failures-uncounted": { mode: "all", seed: 1106 },
  "join-at-first": { mode: "fault_free", seed: 1 },
  "join-by-counter": { mode: "fault_free", seed: 1 },
  "late-chunk": { scenarios: "claim" },
  "lease-unread": { mode: "all", seed: 2 },
  "leases-from-memory": { scenarios: "lease" },
  "live-definition": { scenarios: "publish" },
  "live-provenance": { mode: "all", seed: 549 },
  "lost-chunks-uncounted": { scenarios: "deaths" },
  "lost-nodes-uncounted": { mode: "all", seed: 1017 },
  "no-deadline": { mode: "all", seed: 4 },
  "no-first-message": { mode: "fault_free", seed: 1 },
  "no-lease-judged": { mode: "all", seed: 1 },
  "no-renewal": { mode: "fault_free", seed: 52 },
  "no-second-chunk-message": { mode: "all", seed: 14 },
  "no-second-message": { mode: "all", seed: 1 },
  "no-suspicion": { mode: "all", seed: 27 },
  "no-sweeper": { mode: "fault_free", seed: 18 },
  "node-fence": { mode: "all", seed: 495 },
  "poison-counts-twice": { mode: "all", seed: 97 },
  "poison-decides": { mode: "all", seed: 42 },
  "projection-backwards": { mode: "fault_free", seed: 57 },
  "projection-unrefreshed": { mode: "fault_free", seed: 1 },
  "random-job-id": { mode: "fault_free", seed: 6 },
  "redelivery-unnoticed": { mode: "no_rescue", seed: 1 },
  "repeat-unfinished": { mode: "no_rescue", seed: 16 },
  "retry-at-once": { mode: "all", seed: 145 },
  "rev-ignored": { mode: "fault_free", seed: 52 },
  "send-before-commit": { mode: "no_rescue", seed: 52 },
  "sends-fail-silently": { scenarios: "sweep" },
  "sweep-without-fold": { scenarios: "sweep" },
  "terminal-reopens": { mode: "all", seed: 67 },
  "unanswered-forgotten": { mode: "no_rescue", seed: 110 },
  "unconditional-entry": { mode: "fault_free", seed: 5 },
  "waiting-believe": { mode: "no_rescue", seed: 119 },
  "wake-from-now": { mode: "all", seed: 237 },
  "wake-not-lowered": { scenarios: "cancel" },
};
