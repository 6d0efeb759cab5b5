// Loaded before a worker by NODE_OPTIONS, in the soak run only: on SIGUSR2 it collects garbage and
// writes one line with the heap that is left. The app itself has no such door.
import { Session } from "node:inspector/promises";
import process from "node:process";

const session = new Session();
session.connect();

process.on("SIGUSR2", () => {
  void session.post("HeapProfiler.collectGarbage").then(() => {
    const { heapUsed, rss } = process.memoryUsage();
    const line = { event: "probe.heap", level: "info", heap_used: heapUsed, rss };
    process.stderr.write(`${JSON.stringify(line)}\n`);
  });
});
