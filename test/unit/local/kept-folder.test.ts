// Whose a kept folder is: one host's that lives, and nobody's once that is gone.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { takeFolder } from "../../../src/local/kept-folder.ts";

let folder = "";
let lock = "";

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "holdfast-kept-"));
  lock = path.join(folder, "lock");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a folder that a living process has is refused, and the way out is named", () => {
  writeFileSync(lock, String(process.pid));
  const problem = `${folder} is kept by a host that runs, process ${process.pid}. `;
  expect(() => takeFolder(folder)).toThrow(`${problem}If that is something else, remove ${lock}.`);
  expect(readFileSync(lock, "utf8")).toBe(String(process.pid));
});

test("a folder is taken where its process is gone", async () => {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(child, "exit");
  writeFileSync(lock, String(child.pid));
  takeFolder(folder);
  expect(readFileSync(lock, "utf8")).toBe(String(process.pid));
});

test.runIf(existsSync("/proc/self/stat"))(
  "a folder is taken where its process was killed and nobody has buried it",
  async () => {
    // A shell that becomes another program forgets its child, which then stays a zombie. Its
    // output ends when it does.
    const script = "sh -c 'echo $$' & exec tail -f /dev/null >/dev/null";
    const parent = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
    let text = "";
    parent.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
    await once(parent.stdout, "end");
    try {
      const pid = text.trim();
      await expect.poll(() => readFileSync(`/proc/${pid}/stat`, "utf8")).toContain(") Z ");
      writeFileSync(lock, pid);
      expect(() => process.kill(Number(pid), 0)).not.toThrow();
      takeFolder(folder);
      expect(readFileSync(lock, "utf8")).toBe(String(process.pid));
    } finally {
      parent.kill("SIGKILL");
    }
  },
);
