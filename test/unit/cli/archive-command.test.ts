// The operator's commands for jobs that have ended, as a person meets them: what is understood,
// what is said, what is deleted and what is not.
import { describe, expect, test } from "vitest";
import { archiveCommand } from "../../../src/cli/archive-command.ts";
import { WorkflowError } from "../../../src/core/error.ts";
import type { ArchivePorts } from "../../../src/runtime/job-archive.ts";
import { MemoryFolder } from "../../support/memory-folder.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { chain, echo } from "../../support/shapes.ts";

interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

class Desk {
  readonly runtime = new TestRuntime({ handlers: [echo] });
  readonly folder = new MemoryFolder();
  ports: ArchivePorts = { store: this.runtime.store.archive, clock: this.runtime.clock };
  connections = 0;

  async ended(workflow_id = "chain", tags: readonly string[] = []): Promise<string> {
    this.runtime.catalog.put({ ...chain(1), workflow_id });
    const { job } = await this.runtime.submit({ workflow_id, tags });
    await this.runtime.runToEnd(job.job_id);
    return job.job_id;
  }

  /** A day passes, and with it the hour in which nothing is purged. */
  async tomorrow(): Promise<string> {
    await this.runtime.clock.advance(24 * 3600 * 1000);
    return this.runtime.clock.now();
  }

  async run(...args: readonly string[]): Promise<Answer> {
    const lines = { out: [] as string[], err: [] as string[] };
    const ports = (): ArchivePorts => {
      this.connections += 1;
      return this.ports;
    };
    const output = {
      out: (line: string) => void lines.out.push(line),
      err: (line: string) => void lines.err.push(line),
    };
    const code = await archiveCommand(args, { ports, folder: () => this.folder }, output);
    return { code, out: lines.out.join("\n"), err: lines.err.join("\n") };
  }

  get jobs(): readonly unknown[] {
    return this.runtime.store.allJobs().map(({ job_id }) => job_id);
  }
}

describe("what is not understood connects to nothing", () => {
  test.each([
    [["delete"], "expected export or purge"],
    [["purge"], "purge: expected either ids of jobs, or a filter with --ended-before"],
    [["purge", "a", "--tag", "b", "--ended-before", "2026-01-01"], "purge: expected either"],
    [["purge", "--status", "failed", "--yes", "--without-export"], "a filter needs --ended-before"],
    [["purge", "a", "--yes"], "purge: expected --to DIR, or --without-export"],
    [["purge", "a", "--to", "d", "--without-export"], "exclude each other"],
    [["purge", "--ended-before", "yesterday"], "--ended-before: expected 2026-01-31 or"],
    [["purge", "--ended-before", "2026-02-30"], "got 2026-02-30"],
    [["purge", "--ended-before", "2026-02-01", "--status", "running"], "got running"],
    [["purge", "--ended-before", "2026-02-01", "--version", "1.5"], "--version: expected a whole"],
    [["purge", "a", "--force"], "Unknown option '--force'"],
    [["export", "a"], "export: expected --to DIR"],
    [["export", "a", "--to", "d", "--yes"], "belong to purge"],
  ])("%j", async (args, problem) => {
    const desk = new Desk();
    const { code, out, err } = await desk.run(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(problem);
    expect(err).toContain("hint: ");
    expect(desk.connections).toBe(0);
  });

  test("help, asked for or not", async () => {
    const desk = new Desk();
    const help = await desk.run("purge", "--help");
    expect(help).toMatchObject({ code: 0, err: "" });
    expect(help.out).toContain("--ended-before T");
    expect(await desk.run()).toEqual(help);
  });
});

test("without --yes nothing is deleted, and what would be is said", async () => {
  const desk = new Desk();
  await desk.ended("one");
  await desk.ended("one");
  await desk.ended("two");
  const before = await desk.tomorrow();
  const { code, out } = await desk.run("purge", "--ended-before", before);
  expect(code).toBe(0);
  expect(out.split("\n")).toEqual([
    "WORKFLOW  VERSION  STATUS     JOBS",
    "one       1        completed  2",
    "two       1        completed  1",
    "3 jobs would be purged; nothing was. Add --yes to do it.",
  ]);
  expect(desk.jobs).toHaveLength(3);
});

test("a filter takes what it says and nothing else", async () => {
  const desk = new Desk();
  const kept = [await desk.ended("one"), await desk.ended("two", ["b"])];
  const gone = await desk.ended("one", ["a"]);
  const before = await desk.tomorrow();
  const late = await desk.ended("one", ["a"]);
  await desk.tomorrow();
  const filter = ["--workflow", "one", "--version", "1", "--tag", "a", "--status", "completed"];
  const purge = ["purge", "--ended-before", before, ...filter, "--to", "d", "--yes"];
  const { code, out, err } = await desk.run(...purge);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(new RegExp(`^${gone} purged: \\d+ documents, ${gone}\\..*jsonl\n1 of 1`));
  expect(desk.jobs).toEqual([...kept, late]);
  expect(desk.folder.files.size).toBe(1);
  expect((await desk.run(...purge)).out).toBe("0 of 0 jobs purged.");
});

test("a filter leaves out what ended within the hour", async () => {
  const desk = new Desk();
  const old = await desk.ended();
  await desk.tomorrow();
  const young = await desk.ended();
  const all = ["purge", "--ended-before", "2999-01-01", "--without-export", "--yes"];
  expect(await desk.run(...all)).toMatchObject({ code: 0, err: "" });
  expect(desk.jobs).toEqual([young]);
  expect(desk.jobs).not.toContain(old);
});

test("jobs by id, in JSON, and one that cannot be purged stops no other", async () => {
  const desk = new Desk();
  const old = await desk.ended();
  await desk.tomorrow();
  const young = await desk.ended();
  const purge = ["purge", young, "none", old, old, "--without-export", "--yes", "--json"];
  const { code, out, err } = await desk.run(...purge);
  expect(code).toBe(1);
  const jobs = (JSON.parse(out) as { jobs: readonly { job_id: string; error?: string }[] }).jobs;
  expect(jobs).toMatchObject([
    { job_id: young, error: expect.stringContaining("JOB_NOT_TERMINAL") },
    { job_id: "none", error: expect.stringContaining("JOB_NOT_FOUND") },
    { job_id: old },
  ]);
  expect(err).toContain("hint: cancel it, or wait: an open job is never purged");
  expect(desk.jobs).toEqual([young]);
});

test("an identity that may not delete is told once, and what to do", async () => {
  const desk = new Desk();
  const jobs = [await desk.ended(), await desk.ended()];
  await desk.tomorrow();
  const denied = async (): Promise<never> => {
    throw new WorkflowError("ACCESS_DENIED", "delete in journal: refused");
  };
  const store = { ...desk.ports.store, removeFromJournal: denied };
  desk.ports = { ...desk.ports, store };
  const { code, err } = await desk.run("purge", ...jobs, "--to", "d", "--yes");
  expect(code).toBe(1);
  expect(err.split("\n")).toEqual([
    "ACCESS_DENIED: delete in journal: refused",
    "hint: an operator's role is needed: operatorPrincipalIds in docs/azure.md",
  ]);
  expect(desk.jobs).toHaveLength(2);
});

test("an export takes an open job too, and deletes nothing", async () => {
  const desk = new Desk();
  const old = await desk.ended();
  const { job } = await desk.runtime.submit({ workflow_id: "chain" });
  const { code, out } = await desk.run("export", old, job.job_id, "--to", "d");
  expect(code).toBe(0);
  expect(out.split("\n").at(-1)).toBe("2 of 2 jobs exported.");
  expect(desk.folder.files.size).toBe(2);
  expect(desk.jobs).toHaveLength(2);
});
