// Where each mutant is known to die, so that the small run need not search for it. Only a short cut:
// where it does not die there any more, it is searched for as in the long run.
import type { Mode } from "../../simulation/plan.ts";

/** A schedule, or the crash points of the scenarios whose names begin so, up to the colon. */
type Death =
  | { readonly mode: Mode; readonly seed: number }
  | { readonly scenarios: string };

export const DEATHS: Readonly<Record<string, Death>> = {
  "chunk-fence": { mode: "all", seed: 503 },
  "chunk-lease-unread": { mode: "all", seed: 140 },
  "every-branch": { mode: "fault_free", seed: 62 },
  "failures-uncounted": { mode: "all", seed: 1106 },
  "join-at-first": { mode: "fault_free", seed: 1 },
  "join-by-counter": { mode: "fault_free", seed: 1 },
  "late-chunk": { scenarios: "claim" },
  "lease-unread": { mode: "all", seed: 2 },
  "lost-chunks-uncounted": { scenarios: "worker" },
  "lost-nodes-uncounted": { mode: "all", seed: 1017 },
  "no-lease-judged": { mode: "all", seed: 1 },
  "no-second-chunk-message": { mode: "all", seed: 14 },
  "no-second-message": { mode: "all", seed: 1 },
  "no-suspicion": { mode: "all", seed: 27 },
  "node-fence": { mode: "all", seed: 495 },
  "redelivery-unnoticed": { mode: "no_rescue", seed: 1 },
  "retry-at-once": { mode: "all", seed: 145 },
};
