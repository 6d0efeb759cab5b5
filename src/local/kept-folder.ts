// A folder that keeps stores belongs to one host at a time: two that write the same files would
// spoil both. The lock names its process; one whose process is gone is nobody's.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { StartupProblem } from "./startup-problem.ts";

/** Takes the folder until this process ends. Errors: StartupProblem where another has it. */
export function takeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = path.join(folder, "lock");
  if (!created(lock)) {
    const owner = Number(readFileSync(lock, "utf8"));
    if (isAlive(owner)) {
      const message = `${folder} is kept by a host that runs, process ${owner}.`;
      throw new StartupProblem(`${message} If that is something else, remove ${lock}.`);
    }
    rmSync(lock, { force: true });
    if (!created(lock)) throw new StartupProblem(`${folder} was taken by another host just now.`);
  }
  process.once("exit", () => rmSync(lock, { force: true }));
}

function created(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    // Another user's process is alive as well.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Killed, and not yet buried by its parent: in a container that may be never. Linux only. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
  } catch {
    return false;
  }
}
