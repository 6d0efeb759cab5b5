// The types of requests and answers, inferred from the schemas. Types only: whoever imports them
// gets no schema and no library.
import type * as z from "zod";
import type {
  acceptedJob,
  batchAnswer,
  dryRun,
  events,
  job,
  jobList,
  jobNode,
  provenance,
  result,
  snapshot,
  timeline,
  validation,
} from "./job-answers.ts";
import type {
  checkedText,
  handlerList,
  readiness,
  stats,
  workflow,
  workflowList,
} from "./other-answers.ts";
import type { submission } from "./requests.ts";
import type { issue, problem } from "./shapes.ts";

export type Submission = z.output<typeof submission>;
export type AcceptedJob = z.output<typeof acceptedJob>;
export type DryRun = z.output<typeof dryRun>;
export type Validation = z.output<typeof validation>;
export type BatchAnswer = z.output<typeof batchAnswer>;
export type Job = z.output<typeof job>;
export type JobNodeRow = Job["nodes"][number];
export type JobList = z.output<typeof jobList>;
export type JobRow = JobList["jobs"][number];
export type JobEvents = z.output<typeof events>;
export type JobEvent = JobEvents["events"][number];
export type JobNode = z.output<typeof jobNode>;
export type Timeline = z.output<typeof timeline>;
export type TimelineBar = Timeline["bars"][number];
export type Snapshot = z.output<typeof snapshot>;
export type JobResult = z.output<typeof result>;
export type Provenance = z.output<typeof provenance>;
export type WorkflowList = z.output<typeof workflowList>;
export type WorkflowVersions = z.output<typeof workflow>;
export type CheckedText = z.output<typeof checkedText>;
export type HandlerList = z.output<typeof handlerList>;
export type Stats = z.output<typeof stats>;
export type Readiness = z.output<typeof readiness>;
export type Problem = z.output<typeof problem>;
export type ProblemIssue = z.output<typeof issue>;
