// Loaded before a worker by NODE_OPTIONS, in the soak run only: on SIGUSR2 it collects garbage and
// writes one line with the heap that is left. The app itself has no such door. Nothing is compiled
// to machine code here: such code and what V8 keeps to undo it fill several megabytes in the course
// of ten thousand jobs, and hide what the app keeps.
import { Session } from "node:inspector/promises";
import process from "node:process";
import v8 from "node:v8";

for (const flag of ["--no-opt", "--no-maglev", "--no-sparkplug"]) v8.setFlagsFromString(flag);

const session = new Session();
session.connect();

process.on("SIGUSR2", () => {
  void session.post("HeapProfiler.collectGarbage").then(() => {
    const { heapUsed, rss } = process.memoryUsage();
    const line = { event: "probe.heap", level: "info", heap_used: heapUsed, rss };
    process.stderr.write(`${JSON.stringify(line)}\n`);
  });
});
