// docs/tutorial.md word by word, as a newcomer types it, in a copy of this project: files are
// written, commands run, and what they print is compared line by line with what the page shows.
// At its end the jobs are looked at in a browser.
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../support/app-fixture.ts";
import { CHROMIUM, launchBrowser, openPage } from "../support/browser.ts";
import { waitFor } from "../support/wait-until.ts";

interface Block {
  readonly kind: string;
  /** Of a file its path, of a command the exit code of its last line. */
  readonly of: string;
  readonly text: string;
}

const PORT = "7493";
let home: string;
let host: ChildProcess | undefined;
/** What the terminal shows in which the app runs. */
let shown = "";

beforeAll(() => {
  mkdirSync(path.join(ROOT, ".holdfast"), { recursive: true });
  home = mkdtempSync(path.join(ROOT, ".holdfast", "tutorial-"));
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: ROOT });
  const parts = /^(?:build|src|workflows)\/|^(?:host|package|tsconfig)\.json$/;
  for (const file of String(files).split("\n")) {
    if (!parts.test(file)) continue;
    mkdirSync(path.join(home, path.dirname(file)), { recursive: true });
    copyFileSync(path.join(ROOT, file), path.join(home, file));
  }
  symlinkSync(path.join(ROOT, "node_modules"), path.join(home, "node_modules"));
});

afterAll(async () => {
  await stop();
  rmSync(home, { recursive: true, force: true });
});

function blocks(page: string): readonly Block[] {
  const marked = /<!-- (start|restart|run|shows|file)(?:: ([^ ]+))? -->\n```\w+\n([^]*?)```/g;
  const found = [...page.matchAll(marked)];
  return found.map(([, kind = "", of = "", text = ""]) => ({ kind, of, text }));
}

/** `npx` would look for packages of a registry; the command is the project's own. */
function environment(): NodeJS.ProcessEnv {
  const bin = path.join(home, "bin");
  return { PATH: `${bin}:${process.env["PATH"] ?? ""}`, HOME: home, PORT, ENDPOINT: "" };
}

function prepareNpx(): void {
  const script = `#!/bin/sh\nshift\nexec "${process.execPath}" build/holdfast.mjs "$@"\n`;
  mkdirSync(path.join(home, "bin"));
  writeFileSync(path.join(home, "bin", "npx"), script, { mode: 0o755 });
}

async function start(command: string): Promise<void> {
  const env = { ...environment(), HOLDFAST_LOCAL_POLL_MS: "50" };
  const child = spawn("bash", ["-c", `exec ${command}`], { cwd: home, env, detached: true });
  host = child;
  shown = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part) => (shown += String(part)));
  }
  await waitFor(() => shown.includes("Holdfast is running at") || undefined, {
    what: "the app starts",
    timeoutMs: 60_000,
  });
}

/** As Ctrl-C does: the whole group of the terminal is told. */
async function stop(): Promise<void> {
  if (host?.pid === undefined) return;
  const exited = once(host, "exit");
  process.kill(-host.pid, "SIGINT");
  await exited;
  host = undefined;
}

async function run(text: string, exit: number): Promise<string> {
  const env = { ...environment(), HOLDFAST_ENDPOINT: `http://127.0.0.1:${PORT}` };
  const child = spawn("bash", ["-c", text], { cwd: home, env });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part) => (output += String(part)));
  }
  const [code] = (await once(child, "close")) as readonly unknown[];
  expect(code, `${text}\n${output}`).toBe(exit);
  return output;
}

/** Whether a line is as shown: `…` for anything, a space for any number of them. */
function isLike(line: string, shown: string): boolean {
  const parts = shown.trim().split("…").map((part) => part.trim());
  let at = 0;
  const text = line.trim().replaceAll(/ +/g, " ");
  return parts.every((part) => {
    const found = text.indexOf(part.replaceAll(/ +/g, " "), at);
    at = found + part.length;
    return found !== -1;
  });
}

test("every command of the tutorial does what the page shows", { timeout: 240_000 }, async () => {
  prepareNpx();
  let output = "";
  let compared = 0;
  for (const { kind, of, text } of blocks(readFileSync("docs/tutorial.md", "utf8"))) {
    if (kind === "file") writeFileSync(path.join(home, of), text);
    else if (kind === "start") await start(text.trim());
    else if (kind === "restart") {
      await stop();
      await start(text.trim());
    } else if (kind === "run") output = await run(text, of === "" ? 0 : Number(of));
    else {
      let rest = output.split("\n");
      for (const wanted of text.trimEnd().split("\n")) {
        const at = rest.findIndex((line) => isLike(line, wanted));
        expect(at, `"${wanted}" in\n${output}`).not.toBe(-1);
        rest = rest.slice(at + 1);
        compared += 1;
      }
    }
  }
  expect(compared).toBeGreaterThan(15);
});

test.skipIf(CHROMIUM === undefined)("the page shows its jobs to whoever has the key", async () => {
  const [, key = ""] = /^ {2}key +(\S+)$/m.exec(shown) ?? [];
  const url = `http://127.0.0.1:${PORT}`;
  const browser = await launchBrowser();
  try {
    const { page, problems } = await openPage(browser, url);
    await page.goto(`${url}/api/ui`);
    await page.getByLabel("Function key").fill(key);
    await page.keyboard.press("Enter");
    const rows = page.locator("table.jobs tbody tr");
    await rows.filter({ hasText: "hello_world" }).waitFor();
    await rows.filter({ hasText: "with_vat" }).getByRole("link").first().click();
    await page.locator('#node-add[data-status="completed"]').waitFor();
    await page.getByRole("tab", { name: "Result" }).click();
    await page.getByText("297.5").waitFor();
    await page.getByRole("tab", { name: "Definition" }).click();
    await page.getByText("Same as today's file.").waitFor();
    expect(problems).toEqual([]);
  } finally {
    await browser.close();
  }
});
