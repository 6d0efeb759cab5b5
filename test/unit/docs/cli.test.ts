// docs/cli.md: the commands as they are, and every example in it understood.
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { understood } from "../../../src/cli/command.ts";
import { commandsOf } from "../../../src/cli/holdfast.ts";
import { commandPage } from "../../../src/cli/pages.ts";
import { EXIT } from "../../../src/cli/terminal.ts";
import { SETTING } from "../../support/test-terminal.ts";

const page = readFileSync("docs/cli.md", "utf8");
const commands = commandsOf(SETTING);

test("the page has every command as it is", async () => {
  await expect(commandPage(page, commands)).toMatchFileSnapshot("../../../docs/cli.md");
});

test("every example is understood", () => {
  const examples = commands.flatMap(({ examples: one }) => one);
  expect(examples.length).toBeGreaterThanOrEqual(commands.length);
  for (const example of examples) {
    const bare = example.replace(/^source <\((.*)\)$/, "$1").replace(/^holdfast /, "");
    const words = [...bare.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word);
    expect(() => understood(words as string[], commands), example).not.toThrow();
  }
});

test("every example that names a workflow names one that ships", () => {
  const text = commands.flatMap(({ examples }) => examples).join("\n");
  const named = [...text.matchAll(/(?:submit |workflows |--workflow |workflows\/)(\w+)/g)];
  expect(named.length).toBeGreaterThan(5);
  for (const [example, id] of named) {
    expect(existsSync(`workflows/${id ?? ""}.yaml`), example).toBe(true);
  }
});

test("the page tells every exit code", () => {
  const told = page.slice(page.indexOf("**Exit codes.**"), page.indexOf("**Completion.**"));
  for (const code of Object.values(EXIT)) expect(told).toMatch(new RegExp(`\\b${code}:`));
});
