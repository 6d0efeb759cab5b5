// The command line on an app in memory: what a person reads, what a program reads, and how each
// command ends.
import { beforeEach, describe, expect, test } from "vitest";
import { HttpApp } from "../../support/http-app.ts";
import { TestTerminal } from "../../support/test-terminal.ts";

let http: HttpApp;
let terminal: TestTerminal;
beforeEach(() => {
  http = new HttpApp({ shipped: true });
  terminal = new TestTerminal().reach(http);
});

async function run(line: string): Promise<number> {
  terminal.lines.length = 0;
  terminal.errors.length = 0;
  return terminal.run(line);
}

async function finished(line = "submit echo_test -i message=hello"): Promise<string> {
  expect(await run(line)).toBe(0);
  const [id = ""] = terminal.lines;
  await http.runtime.runToEnd(id);
  return id;
}

describe("submit", () => {
  test("prints the id of the job, and nothing else", async () => {
    const id = await finished();
    expect(terminal.lines).toEqual([id]);
    expect(http.runtime.status(id)).toBe("completed");
  });

  test("a value is what the workflow says: a text stays one, a number is one", async () => {
    const id = await finished("submit echo_test -i message=12 -i steps=1");
    await run(`result ${id} --json`);
    expect(JSON.parse(terminal.text)).toMatchObject({
      result_data: { echo: { message: "12", steps: 1 } },
    });
  });

  test("name:=json is read as JSON, whatever it looks like", async () => {
    expect(await run("submit echo_test -i message:=12")).toBe(1);
    expect(terminal.errors.join("\n")).toContain("/input_params/message");
    expect(await run('submit echo_test -i "message:=hello"')).toBe(2);
    expect(terminal.errors.join("\n")).toContain("expected JSON");
  });

  test("takes inputs from a file, and -i above them", async () => {
    terminal.files.set("in.yaml", "message: from the file\nsteps: 2\n");
    const id = await finished("submit echo_test --input-file in.yaml -i steps=0");
    await run(`result ${id} --json`);
    expect(JSON.parse(terminal.text)).toMatchObject({
      result_data: { echo: { message: "from the file", steps: 0 } },
    });
  });

  test.each([
    ["[1]", "in.yaml: expected a map of inputs"],
    ["just text", "in.yaml: expected a map of inputs"],
    ["a: 1\nb: {\n", "in.yaml:3:1: not valid YAML: "],
    ["a: 1\na: 2\n", 'in.yaml:2:1: the key "a" is there already, in line 1'],
    ["a: 9007199254740993\n", "in.yaml:1:4: the integer 9007199254740993 cannot be kept exactly"],
    ['{"a": [9007199254740993]}', "in.yaml: /a/0: the integer 9007199254740993 cannot"],
    ['{"a": 1, "a": 2}', "in.yaml: /a: this name stands twice"],
  ])("a file that holds %j is refused", async (text, problem) => {
    terminal.files.set("in.yaml", text);
    expect(await run("submit echo_test --input-file in.yaml")).toBe(2);
    expect(terminal.errors[0]).toContain(problem);
  });

  test.each([
    ["-i steps=1 -i steps=2", "-i steps: given twice"],
    ["-i steps:=9007199254740993", "-i steps:= the integer 9007199254740993"],
    ['-i x={"a":1,"a":2}', "/a: this name stands twice"],
    ['-i x:={"__proto__":{}}', "-i x:= "],
  ])("%s is refused before anything is sent", async (pairs, problem) => {
    expect(await run(`submit echo_test ${pairs}`)).toBe(2);
    expect(terminal.errors[0]).toContain(problem);
  });

  test("a number with more digits than can be kept is a text", async () => {
    const id = await finished("submit echo_test -i steps=0 -i message=12345678901234567890");
    await run(`result ${id} --json`);
    expect(JSON.parse(terminal.text)).toMatchObject({
      result_data: { echo: { message: "12345678901234567890" } },
    });
  });

  test("the same key twice gives one job", async () => {
    await run("submit echo_test --key k");
    const [first] = terminal.lines;
    await run("submit echo_test --key k");
    expect(terminal.lines).toEqual([first]);
  });

  test("--dry-run says what would happen and creates nothing", async () => {
    expect(await run("submit echo_test --dry-run")).toBe(0);
    expect(terminal.text).toMatch(/^would start a new job: echo_test version 1, sha256:/);
    expect(http.runtime.store.allJobs()).toHaveLength(0);
  });

  test("a refusal names every field, with a hint, and exits 1", async () => {
    expect(await run("submit echo_test -i mesage=x -i steps=99")).toBe(1);
    expect(terminal.errors).toEqual([
      "holdfast: INPUT_INVALID: input_params do not fit echo_test version 1",
      '  /input_params/mesage: input "mesage": the workflow declares message, steps',
      '    hint: did you mean "message"?',
      '  /input_params/steps: input "steps": expected at most 20, got 99',
    ]);
    expect(await run("submit echo_test -i steps=99 --json")).toBe(1);
    expect(JSON.parse(terminal.text)).toMatchObject({ code: "INPUT_INVALID" });
  });

  test("of an unknown workflow says where to look", async () => {
    expect(await run("submit nobody")).toBe(1);
    expect(terminal.errors).toEqual([
      'holdfast: WORKFLOW_NOT_FOUND: no workflow file is for "nobody"',
      "hint: holdfast workflows lists what there is",
    ]);
  });
});

describe("jobs and show", () => {
  test("a table has a row for each job, and says when there is more", async () => {
    const ids = [await finished(), await finished(), await finished()];
    expect(await run("jobs -n 2")).toBe(0);
    expect(terminal.lines[0]?.split(/ +/)).toEqual([
      "JOB",
      "STATUS",
      "WORKFLOW",
      "VERSION",
      "DIGEST",
      "CREATED",
      "TOOK",
      "NODES",
    ]);
    expect(terminal.lines).toHaveLength(3);
    expect(terminal.errors).toEqual(["there are more: --all, or --limit"]);
    expect(terminal.lines[1]).toMatch(/3 completed of 3$/);
    await run("jobs --all --json");
    const { jobs } = JSON.parse(terminal.text) as { jobs: readonly { job_id: string }[] };
    expect(jobs.map(({ job_id }) => job_id).toSorted()).toEqual(ids.toSorted());
  });

  test("a job that nothing was done for yet says so", async () => {
    await run("submit echo_test");
    await run("jobs");
    expect(terminal.lines[1]).toMatch(/ 3 pending$/);
  });

  test("filters are those of the app", async () => {
    await finished("submit echo_test -t red -t blue");
    await finished("submit hello_world");
    await run("jobs -t blue --json");
    expect(JSON.parse(terminal.text)).toMatchObject({ count: 1 });
    await run("jobs --status failed,cancelled --json");
    expect(JSON.parse(terminal.text)).toMatchObject({ count: 0 });
    expect(await run("jobs --status done")).toBe(1);
    expect(terminal.errors).toHaveLength(1);
    expect(terminal.errors[0]).toContain("/status: expected one or more of pending, running");
    expect(await run("jobs --since yesterday")).toBe(2);
    expect(await run("jobs --since 99999999999999d")).toBe(2);
    expect(await run("jobs --since 2h")).toBe(0);
  });

  test("show tells facts, nodes and provenance", async () => {
    const id = await finished();
    expect(await run("show last")).toBe(0);
    for (const part of [id, "✓ completed 100 %", "echo_test version 1", "provenance", "log_head"]) {
      expect(terminal.text).toContain(part);
    }
    expect(terminal.text).toMatch(/\necho +task +✓ completed +1 +/);
    await run("show last --json");
    expect(JSON.parse(terminal.text)).toMatchObject({ job_id: id, provenance: { job_id: id } });
  });

  test("a job is named by its id, its beginning, its end, or last", async () => {
    const id = await finished();
    for (const name of [id, id.toUpperCase(), id.slice(0, 8), id.slice(-12), "last"]) {
      expect([name, await run(`result ${name}`)]).toEqual([name, 0]);
    }
    expect(await run("show 00000000")).toBe(1);
    expect(terminal.errors[0]).toContain("none of the newest 1 begins or ends so");
    expect(await run("show no-such")).toBe(2);
    expect(await run("show 00000000-0000-4000-8000-000000000000")).toBe(1);
    expect(terminal.errors[0]).toContain("JOB_NOT_FOUND");
  });

  test("a name that fits several jobs fits none", async () => {
    const jobs = ["01a20503", "01a20504"].map((head) => ({
      job_id: `${head}-bb3b-7d0b-9de8-67dd1104eb35`,
    }));
    terminal.fetch = async () => Response.json({ jobs, count: 2 });
    expect(await run("show 67dd1104eb35")).toBe(1);
    expect(terminal.errors[0]).toContain("names 2 jobs");
  });
});

describe("events, logs, result, snapshot", () => {
  test("events are told in order, or as JSON, one for each line while following", async () => {
    const id = await finished();
    await run(`events ${id}`);
    const types = terminal.lines.map((line) => line.split(/ +/)[4]);
    expect(types[0]).toBe("job_created");
    expect(types.at(-1)).toBe("job_completed");
    await run(`events ${id} --follow --json`);
    const told = terminal.lines.map((line) => (JSON.parse(line) as { type: string }).type);
    expect(told).toEqual(types);
    await run(`events ${id} --json`);
    expect((JSON.parse(terminal.text) as { events: object[] }).events).toHaveLength(types.length);
  });

  test("logs are the lines of attempts, of all nodes or of one", async () => {
    const id = await finished();
    expect(await run(`logs ${id} --node echo`)).toBe(0);
    expect(terminal.lines.map((line) => line.split("  ").at(-1))).toEqual([
      "step 1 of 3",
      "step 2 of 3",
      "step 3 of 3",
    ]);
    expect(await run(`logs ${id} --node start`)).toBe(1);
  });

  test("a result is JSON; of a job that has not ended there is none", async () => {
    const id = await finished();
    await run(`result ${id}`);
    expect(JSON.parse(terminal.text)).toHaveProperty("echo");
    await run("submit echo_test");
    expect(await run(`result ${terminal.lines[0] ?? ""}`)).toBe(1);
    expect(terminal.errors[0]).toContain("JOB_NOT_TERMINAL");
  });

  test("a snapshot is the definition, or the exact text", async () => {
    const id = await finished();
    await run(`snapshot ${id}`);
    expect(JSON.parse(terminal.text)).toMatchObject({ workflow_id: "echo_test" });
    await run(`snapshot ${id} --source`);
    expect(terminal.text).toMatch(/^# The smallest job/);
  });
});

describe("cancel", () => {
  test.each(["", " --json"])("asks nobody in a pipeline%s", async (flag) => {
    await run("submit echo_test");
    const [id = ""] = terminal.lines;
    terminal.canAsk = flag !== "";
    expect(await run(`cancel ${id}${flag}`)).toBe(0);
    expect([terminal.questions, http.runtime.status(id)]).toEqual([[], "cancelled"]);
  });

  test("asks on a terminal, and does nothing without a yes", async () => {
    await run("submit echo_test");
    const [id = ""] = terminal.lines;
    terminal.canAsk = true;
    expect(await run(`cancel ${id}`)).toBe(1);
    expect(terminal.questions).toEqual([`Cancel job ${id}? [y/N] `]);
    expect(http.runtime.status(id)).toBe("pending");
    terminal.answer = "y";
    expect(await run(`cancel ${id} --reason "wrong file"`)).toBe(0);
    expect(http.runtime.status(id)).toBe("cancelled");
    expect(await run(`cancel ${id} --yes`)).toBe(1);
    expect(terminal.errors[0]).toContain("has ended: cancelled");
  });
});

describe("the app", () => {
  test("workflows, handlers and stats are tables, and JSON", async () => {
    for (const [line, word] of [
      ["workflows", "echo_test"],
      ["workflows echo_test", "workflow_id: echo_test"],
      ["handlers", "parse_csv"],
      ["stats", "0 pending"],
    ] as const) {
      expect([line, await run(line)]).toEqual([line, 0]);
      expect(terminal.text).toContain(word);
      expect(await run(`${line} --json`)).toBe(0);
      expect(() => JSON.parse(terminal.text) as unknown).not.toThrow();
    }
    expect(await run("workflows none")).toBe(1);
  });

  test("doctor says what is well, and what to do about the rest", async () => {
    expect(await run("doctor")).toBe(0);
    expect(terminal.lines.every((line) => line.startsWith("ok"))).toBe(true);
    await http.runtime.clock.advance(2_000);
    http.checks = async () => [{ name: "journal", error: "STORE_UNAVAILABLE: x" }];
    expect(await run("doctor")).toBe(1);
    expect(terminal.text).toContain("failed  journal: STORE_UNAVAILABLE");
    terminal.fetch = () => Promise.reject(new TypeError("fetch failed"));
    expect(await run("doctor --json")).toBe(1);
    const { findings } = JSON.parse(terminal.text) as { findings: { hint?: string }[] };
    expect(findings.at(-1)).toMatchObject({ what: "app", ok: false });
    expect(findings.at(-1)?.hint).toContain("npm start");
  });

  test("a key that is refused, and an app that is not there, exit 3", async () => {
    terminal.fetch = async () => new Response("", { status: 401 });
    expect(await run("jobs")).toBe(3);
    expect(terminal.errors.join("\n")).toContain("HOLDFAST_KEY");
    const cause = { code: "ECONNREFUSED" };
    terminal.fetch = () => Promise.reject(new TypeError("fetch failed", { cause }));
    expect(await run("jobs")).toBe(3);
    expect(terminal.errors[0]).toBe("holdfast: the app is not reached (ECONNREFUSED)");
  });
});

describe("words", () => {
  test("nothing asked shows what there is and exits 2; --help exits 0", async () => {
    expect(await run("")).toBe(2);
    expect(await run("--help")).toBe(0);
    expect(terminal.text).toContain("submit WORKFLOW");
    expect(await run("submit --help")).toBe(0);
    expect(terminal.text).toContain("--dry-run");
    expect(await run("--version")).toBe(0);
    expect(terminal.lines).toEqual(["0.1.0+test"]);
  });

  test.each([
    ["jobz", 'did you mean "jobs"?'],
    ["jobs --limt 3", 'did you mean "--limit"?'],
    ["submit", "holdfast submit --help"],
    ["show a b", "holdfast show --help"],
    ["jobs --limit 0", "expected a whole number, 1 to 200"],
    ["completion fish", "expected bash or zsh"],
  ])("%s is not understood, and told what is meant", async (line, hint) => {
    expect(await run(line)).toBe(2);
    expect(terminal.errors.join("\n")).toContain(hint);
    expect(terminal.lines).toEqual([]);
  });
});

test.each([
  ["<html>", 3, "the answer (200) is not one of this API"],
  ["[]", 3, "the answer (200) is not one of this API"],
  ['{"jobs": [', 3, "the answer (200) is not one of this API"],
  ["{}", 1, "unexpected: "],
])("%s from another service is told in a line", async (body, exit, told) => {
  terminal.fetch = async () => new Response(body, { status: 200 });
  expect(await run("jobs")).toBe(exit);
  expect(terminal.errors[0]).toContain(`holdfast: ${told}`);
  expect(terminal.errors).toHaveLength(2);
  await run("doctor");
  expect(terminal.text).toContain("not as Holdfast does");
});

test("an answer that breaks off is as none", async () => {
  terminal.fetch = () => Promise.reject(new TypeError("terminated"));
  expect(await run("jobs")).toBe(3);
});

test("the source of a snapshot is exact in a pipeline, and harmless on a terminal", async () => {
  const id = await finished();
  const yaml = "# \u001b[2J\nworkflow_id: a\n\n";
  const snapshot = { workflow_source: yaml };
  terminal.fetch = async () => new Response(JSON.stringify(snapshot), { status: 200 });
  await run(`snapshot ${id} --source`);
  expect(`${terminal.lines[0]}\n`).toBe(yaml);
  terminal.isTty = true;
  await run(`snapshot ${id} --source`);
  expect(terminal.lines[0]).toBe("# \\u001b[2J\nworkflow_id: a\n");
});

test("text of others cannot move the cursor, paint or ring", async () => {
  const evil = "\u001b[2J\u001b]0;owned\u0007\u009b31m\r\n‮x";
  const body = { workflow_id: "echo_test", input_params: { message: evil }, tags: [evil] };
  const answer = await http.call("jobs_submit", {
    body: { ...body, submitted_by: evil, correlation_id: evil, idempotency_key: evil },
  });
  const id = String(answer.body["job_id"]);
  await http.call("jobs_cancel", { params: { job_id: id }, body: { reason: evil } });
  const texts = ["jobs", `show ${id}`, `events ${id}`, `watch ${id}`, `logs ${id}`];
  const asJson = [...texts, `result ${id}`, `snapshot ${id}`].map((line) => `${line} --json`);
  for (const line of [...texts, ...asJson]) {
    await run(line);
    for (const shown of [...terminal.lines, ...terminal.errors]) {
      expect([line, shown]).toEqual([line, shown.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, "")]);
    }
  }
});

test("colours are for terminals, and NO_COLOR means none", async () => {
  await finished();
  terminal.isTty = true;
  await run("jobs");
  expect(terminal.text).toContain("\u001b[32m✓ completed\u001b[0m");
  await run("jobs --no-color");
  expect(terminal.text).not.toContain("\u001b");
  terminal.env["NO_COLOR"] = "1";
  await run("jobs");
  expect(terminal.text).not.toContain("\u001b");
});
