// Mutants of the shell: the order of writes, what follows a lost answer, sessions, projections,
// the sweeper, and pins that are not kept.
import { mutant } from "./mutant.ts";
import type { Mutant } from "./mutant.ts";

const SESSION = "src/runtime/job-session.ts";
const SEAT = "src/runtime/seat.ts";
const KEEPER = "src/runtime/projection-keeper.ts";
const PROJECTION = "src/runtime/projection.ts";
const SUBMIT = "src/runtime/submit-job.ts";
const RUN_WORK = "src/runtime/run-work.ts";
const MESSAGE = "src/runtime/process-message.ts";
const DELIVER = "src/runtime/deliver.ts";

/** Remembers the definition that was submitted last, as a live catalog would answer. */
const REMEMBER_LIVE = {
  file: SUBMIT,
  from: "engine.snapshots.keep(compileWorkflow(definition, job.workflow_digest));",
  to: `const live = compileWorkflow(definition, job.workflow_digest);
  (globalThis.live ??= new Map()).set(definition.workflow_id, live);
  engine.snapshots.keep(live);`,
};

export const RUNTIME_MUTANTS: readonly Mutant[] = [
  mutant("unconditional-entry", "who finds the entry there already goes on as if it were his", {
    file: SESSION,
    from: 'if (created === "exists") return false;',
    to: "",
  }),
  {
    name: "live-definition",
    defect: "messages are processed with the definition of today",
    changes: [
      REMEMBER_LIVE,
      {
        file: "src/runtime/journal.ts",
        from: "const known = engine.snapshots.get(job.workflow_digest);",
        to:
          "const known = globalThis.live?.get(job.workflow_id) ?? " +
          "engine.snapshots.get(job.workflow_digest);",
      },
    ],
  },
  {
    name: "live-provenance",
    defect: "the provenance names the version of today",
    changes: [
      REMEMBER_LIVE,
      {
        file: "src/core/provenance.ts",
        from: "workflow_version: job.workflow_version,",
        to:
          "workflow_version: globalThis.live?.get(job.workflow_id)?.definition.version ?? " +
          "job.workflow_version,",
      },
    ],
  },
  mutant("any-write-id", "any entry in the place of ours counts as ours", {
    file: SEAT,
    from: "if (entry?.write_id !== write_id) return false;",
    to: "if (entry === undefined) return false;",
  }),
  mutant("unanswered-forgotten", "a write without an answer is not looked for", {
    file: SEAT,
    from: "if (error instanceof UnansweredCommit) unanswered.push(error);",
    to: "",
  }),
  mutant("waiting-believe", "who waited for a commit that failed believes that it stands", {
    file: SESSION,
    from: "if (unanswered === undefined || !(error instanceof WorkflowError)) reject(error);",
    to:
      "if (unanswered === undefined || !(error instanceof WorkflowError)) " +
      "batch[index].resolve({ job: this.#job, ...NOTHING });",
  }),
  {
    name: "send-before-commit",
    defect: "messages are sent before the entry that they follow from",
    changes: [
      {
        file: SESSION,
        from: 'import { advancing } from "../core/advance.ts";',
        to: `import { deliver } from "./deliver.ts";
import { advancing } from "../core/advance.ts";`,
      },
      {
        file: SESSION,
        from: "const decided = await this.#decided(batch);",
        to: `const decided = await this.#decided(batch);
      for (const one of decided.each) {
        const isSend = ({ type }) => type === "send_message";
        await deliver(this, one.effects.filter(isSend));
        one.effects = one.effects.filter((effect) => !isSend(effect));
      }`,
      },
    ],
  },
  mutant("projection-backwards", "an older state replaces a newer projection", {
    file: KEEPER,
    from: "await (job === undefined ? this.#source.reach(seq) : this.#source.behind(job));",
    to: "",
  }),
  mutant("projection-unrefreshed", "the last to leave does not write the projection", {
    file: "src/runtime/sessions.ts",
    from: "if (!(await session.keeper.refresh())) break;",
    to: "break;",
  }),
  mutant("wake-from-now", "every refresh pushes the wake away", {
    file: PROJECTION,
    from: "const wake = wakeAt(job, { watch: kept, timing: engine.timing });",
    to: `const due = wakeAt(job, { watch: kept, timing: engine.timing });
  const later = Date.parse(now) + engine.timing.resend_seconds * 1000;
  const wake = due === undefined ? undefined : new Date(later).toISOString();`,
  }),
  mutant("wake-not-lowered", "a command is recorded while the stored wake is too late", {
    file: "src/runtime/cancel-job.ts",
    from: "await session.keeper.lowerWake(soon);",
    to: "",
  }),
  mutant("no-renewal", "a running attempt does not renew its lease", {
    file: KEEPER,
    from: "if (attempts === 0) return;",
    to: "if (attempts >= 0) return;",
  }),
  mutant("leases-from-memory", "leases are judged without a look at what others renewed", {
    file: KEEPER,
    from: "if (secondsBetween(this.#seenAt, clock.now()) < fresh) return;",
    to: "if (secondsBetween(this.#seenAt, clock.now()) >= 0) return;",
  }),
  mutant("no-sweeper", "the sweeper does nothing", {
    file: "src/runtime/sweep.ts",
    from: "let total = NOTHING;",
    to: 'let total = NOTHING; if (began !== "") return total;',
  }),
  mutant("sweep-without-fold", "the sweeper trusts the projection", {
    file: "src/runtime/sweep.ts",
    from: "await session.freshen();",
    to: "",
  }),
  mutant("ack-unseen", "a message whose job or entry is not visible yet is taken for done", {
    file: MESSAGE,
    from: `if (entered.kind !== "session") {
    await defer(engine, message, { delaySeconds: STALE_DELAY_SECONDS, began });`,
    to: 'if (entered.kind !== "session") {',
  }),
  mutant("ack-failed", "a message that met a failing store is taken for done", {
    file: MESSAGE,
    from: "if (!isRetryable(error)) throw error;",
    to: "if (isRetryable(error)) return;",
  }),
  mutant("rev-ignored", "a message is judged by a state older than itself", {
    file: SESSION,
    from: "if (this.#job.seq >= rev) return true;",
    to: "if (this.#job.seq >= 0) return true;",
  }),
  mutant("random-job-id", "an idempotency key has no say in the job's id", {
    file: "src/runtime/submission.ts",
    from: "if (idempotency_key === undefined) return",
    to: "if (idempotency_key !== null) return",
  }),
  mutant("accepted-too-early", "a submission is accepted without a projection", {
    file: SUBMIT,
    from: "await accept(engine, job, true);\n  engine.log",
    to: "engine.log",
  }),
  mutant("repeat-unfinished", "a repeated submission does not finish what the first began", {
    file: SUBMIT,
    from: "return { job: await accept(engine, first), created: false };",
    to: "return { job: first, created: false };",
  }),
  mutant("no-first-message", "an accepted job gets no message", {
    file: SUBMIT,
    from: "await send(engine, { ...start, deferrals: 0 }, 0);",
    to: "",
  }),
  mutant("claim-twice", "a chunk that somebody else claimed is run all the same", {
    file: RUN_WORK,
    from: "if (!isOurs) return undefined;",
    to: "",
  }),
  mutant("claim-unread", "who claimed a chunk does not look whether the job has begun to end", {
    file: RUN_WORK,
    from: "await outlast(engine, () => seat.patience, () => session.catchUp());",
    to: "",
  }),
  mutant("sends-fail-silently", "a re-send that failed counts as sent", {
    file: DELIVER,
    from: "keeper.endResend(resend, isSent);",
    to: "keeper.endResend(resend, true);",
  }),
  mutant("resends-forgotten", "nobody remembers that a message was sent again", {
    file: DELIVER,
    from: "keeper.endResend(resend, isSent);",
    to: "keeper.endResend(resend, false);",
    survives:
      "A message that comes too often harms no job, it costs. Unit tests of re-sends count them: " +
      "three of them fail.",
  }),
];
