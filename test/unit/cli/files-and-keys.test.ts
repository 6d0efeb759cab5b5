// Commands that need no app; where an app is and which key it gets; help and completion.
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { commandsOf } from "../../../src/cli/holdfast.ts";
import { HttpApp } from "../../support/http-app.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { SETTING, TestTerminal } from "../../support/test-terminal.ts";

const FILE = "/home/ann/.config/holdfast/profiles.yaml";
const PROFILES = [
  "default: local",
  "profiles:",
  "  local: { endpoint: 'http://127.0.0.1:7071' }",
  "  production: { endpoint: 'https://flows.example.org/api/v1/', key: prod-key }",
].join("\n");

describe("validate", () => {
  const BROKEN = [
    "workflow_id: a",
    "version: 1",
    "nodes:",
    "  start: { type: start, nxt: end }",
    "  end: { type: end }",
    "",
  ].join("\n");

  test("shows file, line and column, the line, a caret, and the hint; exits 1", async () => {
    const terminal = new TestTerminal();
    terminal.files.set("a.yaml", BROKEN);
    expect(await terminal.run("validate a.yaml")).toBe(1);
    const at = terminal.lines.findIndex((line) => line.startsWith("a.yaml:4:"));
    const column = Number(terminal.lines[at]?.split(":")[2]);
    expect(terminal.lines[at + 1]).toBe("    4 |   start: { type: start, nxt: end }");
    expect(terminal.lines[at + 2]).toBe(`${" ".repeat(8 + column - 1)}^`);
    expect(terminal.lines[at + 1]?.slice(8 + column - 1)).toMatch(/^nxt/);
    expect(terminal.text).toContain('did you mean "next"');
    expect(terminal.errors).toEqual(["1 problem in 1 file"]);
  });

  test("knows the params of the handlers in this build", async () => {
    const terminal = new TestTerminal();
    const node = "  cut: { type: task, handler: chunk, params: { itmes: [1] }, next: end }";
    const fixed = BROKEN.replace("nxt: end", "next: cut");
    terminal.files.set("a.yaml", fixed.replace("  end:", `${node}\n  end:`));
    expect(await terminal.run("validate a.yaml")).toBe(1);
    const takes = 'handler "chunk" takes no "itmes", it takes items, size';
    expect(terminal.text).toContain(`a.yaml:5:48: node "cut": params: ${takes}`);
    expect(terminal.text).toContain('hint: did you mean "items"?');
    expect(terminal.text).toContain('handler "chunk" needs "items"');
  });

  test("of good files tells what each is, exits 0; of a folder takes every file", async () => {
    const terminal = new TestTerminal();
    expect(await terminal.run("init flows_one")).toBe(0);
    expect(await terminal.run("init flows_two")).toBe(0);
    expect(await terminal.run("validate workflows")).toBe(0);
    const good = terminal.lines.filter((line) => line.startsWith("ok  workflows/flows_"));
    expect(good).toHaveLength(2);
    terminal.files.set("workflows/deep/er/bad.yaml", "nodes: [");
    terminal.files.set("workflows/.draft/bad.yaml", "nodes: [");
    terminal.files.set("workflows/README.md", "");
    expect(await terminal.run("validate workflows --json")).toBe(1);
    const told = JSON.parse(terminal.lines.at(-1) ?? "") as { valid: boolean; files: object[] };
    expect(told).toMatchObject({ valid: false });
    expect(told.files).toHaveLength(3);
  });

  test("what is not there is a usage error", async () => {
    expect(await new TestTerminal().run("validate none.yaml")).toBe(2);
  });
});

describe("init", () => {
  test("writes a workflow that is valid, and overwrites nothing", async () => {
    const terminal = new TestTerminal();
    expect(await terminal.run("init")).toBe(0);
    expect(terminal.lines).toEqual(["workflows/hello.yaml"]);
    const before = terminal.files.get("workflows/hello.yaml");
    expect(await terminal.run("validate workflows/hello.yaml")).toBe(0);
    expect(await terminal.run("init hello")).toBe(1);
    for (const [loud, told] of [
      [false, { greet: { message: "Hello, Ada!" } }],
      [true, { shout: { message: "HELLO, ADA!" } }],
    ] as const) {
      const runtime = new TestRuntime({ handlers: SETTING.handlers.list() });
      runtime.catalog.put(parse(before ?? ""));
      const input_params = { name: "Ada", loud };
      const { job } = await runtime.submit({ workflow_id: "hello", input_params });
      expect(await runtime.runToEnd(job.job_id)).toBe("completed");
      expect(runtime.entries(job.job_id).at(-1)?.["result_data"]).toMatchObject(told);
    }
    expect(terminal.files.get("workflows/hello.yaml")).toBe(before);
    expect(await terminal.run("init Hello!")).toBe(2);
  });
});

describe("graph", () => {
  test("is Mermaid with every node and way, or lines for a terminal", async () => {
    const terminal = new TestTerminal();
    await terminal.run("init hello");
    expect(await terminal.run("graph workflows/hello.yaml")).toBe(0);
    expect(terminal.text).toContain("flowchart TD");
    expect(terminal.text).toContain('n_is_loud{"is_loud<br/><small>conditional</small>"}');
    expect(terminal.text).toContain('n_is_loud -->|"loud"| n_shout');
    terminal.lines.length = 0;
    expect(await terminal.run("graph workflows/hello.yaml --text")).toBe(0);
    expect(terminal.text).toMatch(/is_loud \(conditional\) +→ shout \[loud\], end \[quiet\]/);
    expect(terminal.lines).toHaveLength(5);
  });
});

describe("handler test", () => {
  test("runs one handler alone, with its output on standard output", async () => {
    const terminal = new TestTerminal();
    expect(await terminal.run("handler test echo -i message=hello -i steps=1")).toBe(0);
    expect(JSON.parse(terminal.text)).toMatchObject({ message: "hello" });
    expect(terminal.errors.at(-1)).toContain("completed");
  });

  test("says why params do not fit, and exits 1", async () => {
    const terminal = new TestTerminal();
    expect(await terminal.run("handler test chunk -i size=x")).toBe(1);
    expect(terminal.errors.at(-1)).toContain("PARAMS_INVALID");
    expect(await terminal.run("handler test eco")).toBe(1);
    expect(terminal.errors.join("\n")).toContain('did you mean "echo"?');
  });
});

describe("a connection", () => {
  async function asked(prepare: (terminal: TestTerminal) => void, flags = "") {
    const terminal = new TestTerminal().reach(new HttpApp());
    delete terminal.env["HOLDFAST_KEY"];
    prepare(terminal);
    const exit = await terminal.run(`jobs ${flags}`);
    return { exit, request: terminal.requests[0], told: terminal.errors.join("\n") };
  }

  const local = "http://127.0.0.1:7071/api/v1/jobs?limit=20";

  test("is the host on this machine with its key, unless something says otherwise", async () => {
    const { request } = await asked(() => undefined);
    expect(request).toEqual({ url: local, key: "holdfast-local-key" });
  });

  test("comes from flags, then the environment, then the profile file", async () => {
    const profiles = (terminal: TestTerminal) => terminal.files.set(FILE, PROFILES);
    const url = "https://flows.example.org/api/v1/jobs?limit=20";
    const production = await asked(profiles, "--profile production");
    expect(production.request).toEqual({ url, key: "prod-key" });
    expect((await asked(profiles)).request?.url).toBe(local);
    const env = (terminal: TestTerminal) => {
      profiles(terminal);
      Object.assign(terminal.env, { HOLDFAST_ENDPOINT: "https://env.example", HOLDFAST_KEY: "e" });
    };
    expect((await asked(env)).request).toMatchObject({ key: "e" });
    expect((await asked(env, "--endpoint https://flag.example")).request).toEqual({
      url: "https://flag.example/api/v1/jobs?limit=20",
      key: "e",
    });
  });

  test("takes the key of the environment where the profile has none", async () => {
    const keys = async (flags: string) => {
      const { request } = await asked((terminal) => {
        terminal.files.set(FILE, PROFILES);
        terminal.env["HOLDFAST_KEY"] = "e";
      }, flags);
      return request?.key;
    };
    expect(await keys("--profile local")).toBe("e");
    expect(await keys("--profile production")).toBe("prod-key");
  });

  test("gives the key of the local host to no other host", async () => {
    const { request } = await asked(() => undefined, "--endpoint https://other.example");
    expect(request).toEqual({ url: "https://other.example/api/v1/jobs?limit=20", key: null });
  });

  test("sends no key over a network in the clear", async () => {
    const env = (terminal: TestTerminal) => Object.assign(terminal.env, { HOLDFAST_KEY: "e" });
    const { exit, request, told } = await asked(env, "--endpoint http://flows.example.org");
    expect([exit, request]).toEqual([2, undefined]);
    expect(told).toContain("in the clear");
  });

  test("is what stands before the page as well", async () => {
    const page = "http://127.0.0.1:7071/api/ui#/jobs";
    const { request } = await asked(() => undefined, `--endpoint ${page}`);
    expect(request?.url).toBe(local);
  });

  test("takes no key that cannot be sent, and does not repeat it", async () => {
    const key = { HOLDFAST_KEY: "s3crét…" };
    const env = (terminal: TestTerminal) => Object.assign(terminal.env, key);
    const { exit, request, told } = await asked(env);
    expect([exit, request, told.includes("s3cr")]).toEqual([2, undefined, false]);
  });

  test("does not go elsewhere because the file cannot be read", async () => {
    const locked = (terminal: TestTerminal) => {
      const denied = Object.assign(new Error("denied"), { code: "EACCES" });
      Object.assign(terminal, { readText: () => Promise.reject(denied) });
    };
    const { exit, request, told } = await asked(locked);
    expect([exit, request]).toEqual([2, undefined]);
    expect(told).toContain("cannot be read");
  });

  test("takes no file that others may read", async () => {
    const open = (terminal: TestTerminal) => {
      terminal.files.set(FILE, PROFILES);
      terminal.modes.set(FILE, 0o100644);
    };
    const { exit, request, told } = await asked(open, "--profile production");
    expect([exit, request]).toEqual([2, undefined]);
    expect(told).toContain(`chmod 600 ${FILE}`);
  });

  test.each([
    ["--profile none", "has local, production"],
    ["--endpoint ftp://a", "expected http://HOST:PORT"],
    ["--endpoint http://me:s3cret@127.0.0.1", "expected http://HOST:PORT"],
    ["--endpoint http://:s3cret@127.0.0.1", "expected http://HOST:PORT"],
    ["--endpoint http://127.0.0.1/api/v1/jobs?code=s3cret", "nothing that identifies you"],
    ["--endpoint ftp://me:s3cret@a", "expected http://HOST:PORT"],
    ["--endpoint http://127.0.0.1 --profile local", "expected one of them"],
  ])("%s is refused", async (flags, problem) => {
    const profiles = (terminal: TestTerminal) => terminal.files.set(FILE, PROFILES);
    const { exit, request, told } = await asked(profiles, flags);
    expect([exit, request]).toEqual([2, undefined]);
    expect(told).toContain(problem);
    expect(told).not.toContain("s3cret");
  });

  test.each(["profiles: {", "profiles: { a: { endpoint: 7, key: s3cret } }", "keys: s3cret"])(
    "a profile file that is not as it must be is told without what stands in it: %s",
    async (text) => {
      const broken = (terminal: TestTerminal) => terminal.files.set(FILE, text);
      const { exit, told } = await asked(broken, "--profile a");
      expect(exit).toBe(2);
      expect(told).toContain(FILE);
      expect(told).not.toContain("s3cret");
    },
  );
});

describe("completion", () => {
  async function scriptFor(shell: string): Promise<string> {
    const terminal = new TestTerminal();
    expect(await terminal.run(`completion ${shell}`)).toBe(0);
    return `${terminal.text}\n`;
  }

  test.each([
    ["holdfast sub", "submit"],
    ["holdfast handler te", "test"],
    ["holdfast submit --dry", "--dry-run"],
    ["holdfast events --fol", "--follow"],
  ])("bash completes %s to %s", async (line, expected) => {
    const words = line.split(" ");
    const script = [
      await scriptFor("bash"),
      `COMP_WORDS=(${words.join(" ")})`,
      `COMP_CWORD=${words.length - 1}`,
      "_holdfast",
      'echo "${COMPREPLY[@]}"',
    ].join("\n");
    expect(execFileSync("bash", ["-c", script], { encoding: "utf8" }).trim()).toBe(expected);
  });

  test("zsh is told every command", async () => {
    const script = await scriptFor("zsh");
    for (const { name } of commandsOf(SETTING)) {
      expect(script).toContain(`'${name.split(" ")[0] ?? ""}:`);
    }
  });
});
