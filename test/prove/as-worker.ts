// A child process of the prover: reads a task's input as JSON from its standard input, runs the
// task that its argument names, and prints the value as JSON, the last line of its output.
import { text } from "node:stream/consumers";

export type Tasks = Readonly<Record<string, (input: never) => Promise<unknown>>>;

export async function asWorker(tasks: Tasks): Promise<void> {
  const name = process.argv[2] ?? "";
  const task = new Map(Object.entries(tasks)).get(name);
  if (task === undefined) {
    throw new Error(`no task ${name}: expected ${Object.keys(tasks).join(", ")}`);
  }
  const value = await task(JSON.parse(await text(process.stdin)) as never);
  process.stdout.write(`\n${JSON.stringify(value)}\n`);
}
