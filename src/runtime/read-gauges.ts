// Gauges: what can only be looked up, once a minute by the timer, and only where there is
// telemetry. Each look stands for itself: one that fails is logged and hides no other.
import { secondsBetween } from "../core/instant.ts";
import type { JobStatus } from "../core/job.ts";
import type { Engine } from "./engine.ts";
import { errorText } from "./error-text.ts";
import type { JobFilter, QueueLengths, StatsStore } from "./ports.ts";
import type { Telemetry } from "./telemetry.ts";

export interface GaugeOptions {
  readonly engine: Pick<Engine, "jobs" | "queue" | "clock" | "log" | "telemetry">;
  readonly lengths: QueueLengths;
  readonly stats: Pick<StatsStore, "read">;
}

const OPEN: readonly JobStatus[] = ["pending", "running", "suspended", "cancelling"];

/** One point read, five queries of one row and three queue requests. Never rejects. */
export async function readGauges({ engine, lengths, stats }: GaugeOptions): Promise<void> {
  const { telemetry, log } = engine;
  if (telemetry === undefined) return;
  const looks = [
    () => queueLengths(telemetry, lengths),
    () => queueAge(telemetry, engine),
    () => openJobs(telemetry, stats),
    () => oldestJob(telemetry, engine),
    () => sweepLag(telemetry, engine),
  ];
  for (const look of looks) {
    try {
      await look();
    } catch (error) {
      log.write("warn", "gauge.failed", { error: errorText(error) });
    }
  }
}

async function queueLengths(telemetry: Telemetry, lengths: QueueLengths): Promise<void> {
  for (const [queue, length] of Object.entries(await lengths.read())) {
    telemetry.measure("holdfast.queue.length", length, { queue });
  }
}

type Engines = GaugeOptions["engine"];

async function queueAge(telemetry: Telemetry, { queue, clock }: Engines): Promise<void> {
  const since = await queue.oldest();
  const age = since === undefined ? 0 : secondsBetween(since, clock.now());
  telemetry.measure("holdfast.queue.age", Math.max(0, age), {});
}

/** As the numbers over all jobs have them: a minute and a half old at most. */
async function openJobs(telemetry: Telemetry, stats: GaugeOptions["stats"]): Promise<void> {
  const open = (await stats.read())?.document.open ?? {};
  for (const status of OPEN) {
    telemetry.measure("holdfast.jobs.open", open[status] ?? 0, { status });
  }
}

/** A query for each status: one for all of them would walk over every job that has ended. */
async function oldestJob(telemetry: Telemetry, { jobs, clock }: Engines): Promise<void> {
  let oldest = 0;
  for (const status of OPEN) {
    const filter: JobFilter = { status: [status], sort: "created_at", limit: 1 };
    const [document] = (await jobs.list(filter)).documents;
    const createdAt = document?.["created_at"];
    if (typeof createdAt !== "string") continue;
    oldest = Math.max(oldest, secondsBetween(createdAt, clock.now()));
  }
  telemetry.measure("holdfast.jobs.oldest_age", oldest, {});
}

async function sweepLag(telemetry: Telemetry, { jobs, clock }: Engines): Promise<void> {
  const now = clock.now();
  const [due] = await jobs.due(now, 1);
  const lag = due === undefined ? 0 : secondsBetween(due.wake_at, now);
  telemetry.measure("holdfast.sweep.lag", lag, {});
}
