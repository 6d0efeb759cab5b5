// Runs tasks of worker.ts in child processes, a bounded number at once. The bundle is the same for
// all of them unless a task names another one, as a seeded mutant of the engine does.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

export interface Task {
  /** A name in TASKS of worker.ts. */
  readonly task: string;
  readonly input: unknown;
  /** Absolute path of the worker's bundle; by default the one beside this file. */
  readonly bundle?: string;
  /** A task that takes longer is killed and fails. */
  readonly timeoutMs?: number;
}

export type TaskResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string };

const DEFAULT_TIMEOUT_MS = 3_600_000;

/** The results in the order of the tasks. */
export async function inWorkers(
  tasks: readonly Task[],
  workers: number,
  onResult: (done: number, result: TaskResult) => void = () => undefined,
): Promise<readonly TaskResult[]> {
  const results: TaskResult[] = [];
  const waiting = tasks.entries();
  let done = 0;
  const lane = async (): Promise<void> => {
    for (const [index, task] of waiting) {
      const result = await runTask(task);
      results[index] = result;
      done += 1;
      onResult(done, result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, tasks.length) }, lane));
  return results;
}

/** One task in a process of its own. The last line of its output is the value as JSON. */
export async function runTask(task: Task): Promise<TaskResult> {
  const bundle = task.bundle ?? path.join(import.meta.dirname, "worker.mjs");
  const child = spawn(process.execPath, ["--enable-source-maps", bundle, task.task], {
    stdio: ["pipe", "pipe", "pipe"],
    timeout: task.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const output: string[] = [];
  const errors: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk.toString()));
  child.stdin.end(JSON.stringify(task.input));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (code === 0) {
    const line = output.join("").trimEnd().split("\n").at(-1) ?? "";
    return { ok: true, value: JSON.parse(line) as unknown };
  }
  const end = signal === null ? `exit code ${code ?? "unknown"}` : `killed by ${signal}`;
  return { ok: false, error: `${task.task}: ${end}: ${errors.join("").slice(-2000)}` };
}
