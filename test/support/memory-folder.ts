// A folder of exports in memory, whose files a test may read and spoil.
import type { ExportFolder } from "../../src/runtime/job-archive.ts";

export class MemoryFolder implements ExportFolder {
  readonly files = new Map<string, readonly string[]>();
  /** How many files were written, those written again included. */
  writes = 0;

  async write(name: string, lines: AsyncIterable<string>): Promise<void> {
    const kept: string[] = [];
    for await (const line of lines) kept.push(line);
    this.files.set(name, kept);
    this.writes += 1;
  }

  async read(name: string): Promise<AsyncIterable<string> | undefined> {
    const lines = this.files.get(name);
    return lines && each(lines);
  }

  /** Of the only file. */
  get lines(): readonly string[] {
    const [only] = this.files.values();
    if (only === undefined || this.files.size !== 1) throw new Error(`${this.files.size} files`);
    return only;
  }
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}
