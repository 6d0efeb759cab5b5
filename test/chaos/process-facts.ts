// What the operating system says of a process: processor time and memory, from /proc. Linux only,
// as the machines are that run the proofs; elsewhere both are 0.
import { readFileSync } from "node:fs";

/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10;
const PAGE_BYTES = 4096;

/** User and system time since the process began. */
export function processorMs(pid: number): number {
  // The name in parentheses may hold anything; the fields after it do not.
  const fields = procFile(pid, "stat").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MS;
}

/** Memory of the process that is resident. */
export function residentBytes(pid: number): number {
  return Number(procFile(pid, "statm").split(" ")[1] ?? 0) * PAGE_BYTES;
}

function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}
