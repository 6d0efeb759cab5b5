// The timer trigger of one function: one run at a time, the next armed after the end of the last.
// The status lives in memory, so a run missed while the host was down is not made up, and there is
// no lock: every local host runs its own timers.

import type { AppFunction } from "./app-loader.ts";
import type { Environment } from "./host-json.ts";
import type { HostLog } from "./host-log.ts";
import { parseSchedule, type Occurrence, type Schedule } from "./schedule.ts";
import type { TypedData } from "./rpc.ts";
import { messageOf, StartupProblem } from "./startup-problem.ts";

export interface TimerOptions {
  readonly target: AppFunction;
  readonly schedule: Schedule;
  readonly log: HostLog;
  readonly run: (input: TypedData) => Promise<void>;
}

export interface Timer {
  stop(): void;
  /** Runs now, beside the schedule; rejects as the function does. */
  runNow(): Promise<void>;
}

// Node's timers hold no more; a later occurrence is armed in steps.
const LONGEST_DELAY_MS = 2_147_483_647;
const NEVER = "0001-01-01T00:00:00+00:00";

/**
 * The schedule of a timer function, `%NAME%` resolved from the settings.
 * HOLDFAST_LOCAL_TIMER replaces every schedule: tests cannot wait for a minute.
 */
export function scheduleOf(target: AppFunction, env: Environment): Schedule {
  const given = env["HOLDFAST_LOCAL_TIMER"] ?? target.trigger["schedule"];
  if (typeof given !== "string") {
    throw new StartupProblem(`Timer function "${target.name}" has no schedule.`);
  }
  return parseSchedule(resolveSettings(given, env, `Timer function "${target.name}"`));
}

/** Replaces `%NAME%` by the app setting of that name. */
export function resolveSettings(text: string, env: Environment, where: string): string {
  return text.replaceAll(/%([^%]+)%/g, (_match, name: string) => {
    const value = env[name];
    if (value === undefined) {
      throw new StartupProblem(`${where} names the setting ${name}, which is not set.`);
    }
    return value;
  });
}

export function startTimer(options: TimerOptions): Timer {
  const { target, schedule, log } = options;
  let handle: NodeJS.Timeout | undefined;
  let stopped = false;
  let last: Occurrence | undefined;

  const run = async (due: Occurrence): Promise<void> => {
    try {
      await options.run(timerInput(schedule, last, due));
      last = due;
    } catch (error) {
      const message = `Executed (Failed): ${messageOf(error)}`;
      log({ level: "error", category: `Function.${target.name}`, message });
    }
    arm(due);
  };
  const arm = (previous: Occurrence): void => {
    // A timer may fire a moment early: the same occurrence must not come twice.
    const due = stopped ? undefined : schedule.after(Math.max(previous.epochMs, now().epochMs));
    if (due !== undefined) {
      wait(due);
    }
  };
  const wait = (due: Occurrence): void => {
    const delayMs = due.epochMs - now().epochMs;
    handle = setTimeout(
      () => {
        if (delayMs > LONGEST_DELAY_MS) {
          wait(due);
        } else {
          void run(due);
        }
      },
      Math.min(Math.max(delayMs, 0), LONGEST_DELAY_MS),
    );
  };

  if (target.trigger["runOnStartup"] === true) {
    void run(now());
  } else {
    arm(now());
  }
  return {
    stop() {
      stopped = true;
      clearTimeout(handle);
    },
    runNow: () => options.run(timerInput(schedule, last, now())),
  };
}

function now(): Occurrence {
  const epochMs = performance.timeOrigin + performance.now();
  return { epochMs, at: "" };
}

function timerInput(
  schedule: Schedule,
  last: Occurrence | undefined,
  due: Occurrence,
): TypedData {
  const next = schedule.after(due.epochMs);
  const status = schedule.isMonitored
    ? {
        Last: offset(last?.at),
        Next: offset(next?.at),
        LastUpdated: offset(last?.at),
      }
    : null;
  const value = {
    Schedule: { AdjustForDST: schedule.adjustsForDst },
    ScheduleStatus: status,
    IsPastDue: false,
  };
  return { json: JSON.stringify(value) };
}

function offset(instant: string | undefined): string {
  return instant === undefined || instant === "" ? NEVER : instant.replace(/Z$/, "+00:00");
}
