// docs/lifecycle.md: every command for exports and purges in it is one that the program takes.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import packageJson from "../../../package.json" with { type: "json" };
import { archiveCommand } from "../../../src/cli/archive-command.ts";
import { MemoryStore } from "../../../src/memory/memory-store.ts";
import { MemoryClock } from "../../../src/memory/memory-clock.ts";
import { MemoryFolder } from "../../support/memory-folder.ts";

const page = readFileSync("docs/lifecycle.md", "utf8");
const COMMAND = /^npm run --silent (?<verb>export|purge) -- (?<args>[^#\n]+)/gm;
const commands = [...page.matchAll(COMMAND)].map(({ groups = {} }) => groups);

test("the page shows how to export and to purge", () => {
  expect(commands.map(({ verb }) => verb)).toEqual(expect.arrayContaining(["export", "purge"]));
});

test.each(commands)("$verb $args", async ({ verb = "", args = "" }) => {
  expect(packageJson.scripts).toHaveProperty(verb);
  const problems: string[] = [];
  const output = { out: () => undefined, err: (line: string) => void problems.push(line) };
  const ports = () => ({ store: new MemoryStore().archive, clock: new MemoryClock() });
  const tools = { ports, folder: () => new MemoryFolder() };
  const code = await archiveCommand([verb, ...args.trim().split(/\s+/)], tools, output);
  // The job of an example is not there.
  expect([code === 2, problems.filter((line) => !/JOB_NOT_FOUND/.test(line))]).toEqual([false, []]);
});
