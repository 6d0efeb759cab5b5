// Every operation of the HTTP API. The routes of the app are registered under the same names; the
// OpenAPI document is made from this table.
import { READ_JOBS, START_JOBS } from "./job-operations.ts";
import type { Operation } from "./operation.ts";
import { APP, WORKFLOWS } from "./other-operations.ts";

export const OPERATIONS: readonly Operation[] = [
  ...START_JOBS,
  ...READ_JOBS,
  ...WORKFLOWS,
  ...APP,
];
