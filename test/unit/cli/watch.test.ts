// Following a job: line by line in a pipeline, drawn in place on a terminal, through restarts of
// the app, and no faster than it should.
import { beforeEach, describe, expect, test } from "vitest";
import { cutShown, painter, shownLength } from "../../../src/cli/text-layout.ts";
import { HttpApp } from "../../support/http-app.ts";
import { TestTerminal } from "../../support/test-terminal.ts";

let http: HttpApp;
let terminal: TestTerminal;
beforeEach(() => {
  http = new HttpApp({ shipped: true });
  terminal = new TestTerminal().reach(http);
});

async function submitted(line = "submit echo_test"): Promise<string> {
  await terminal.run(line);
  const id = terminal.lines.pop() ?? "";
  terminal.errors.length = 0;
  return id;
}

async function finished(line?: string): Promise<string> {
  const id = await submitted(line);
  await http.runtime.runToEnd(id);
  return id;
}

/** Fails as `fetch` does while `isAway` says so, which is told how often it was asked before. */
function away(isAway: (asked: number) => boolean): void {
  const reach = terminal.fetch;
  let asked = 0;
  terminal.fetch = async (input, init) => {
    asked += 1;
    if (isAway(asked - 1)) throw new TypeError("fetch failed");
    return reach(input, init);
  };
}

describe("in a pipeline", () => {
  test("each thing that is news gets a line", async () => {
    const id = await submitted();
    const watching = terminal.run(`watch ${id}`);
    await http.runtime.runToEnd(id);
    await http.runtime.clock.advance(20_000);
    expect(await watching).toBe(0);
    expect(terminal.lines[0]).toContain("job · pending 0 %");
    expect(terminal.lines.at(-1)).toContain("job ✓ completed 100 %");
    expect(terminal.lines.filter((line) => line.includes("echo ✓"))).toHaveLength(1);
    expect(terminal.text).not.toContain("\u001b");
  });

  test("a job that did not complete is exit 1", async () => {
    const id = await submitted();
    await terminal.run(`cancel ${id} --yes`);
    expect(await terminal.run(`watch ${id}`)).toBe(1);
  });
});

describe("on a terminal", () => {
  beforeEach(() => {
    terminal.isTty = true;
  });

  test("each line keeps its width, painted or not", async () => {
    const id = await finished("submit error_handling");
    for (const flags of ["", " --no-color"]) {
      terminal.columns = 36;
      terminal.drawings.length = 0;
      expect(await terminal.run(`watch ${id}${flags}`)).toBe(0);
      const lines = terminal.drawings.flat();
      expect(lines.every((line) => shownLength(line) <= 36)).toBe(true);
      expect(lines.some((line) => shownLength(line) === 36 && line.includes("…"))).toBe(true);
      const painted = lines.filter((line) => line.includes("\u001b["));
      expect(painted.length > 0).toBe(flags === "");
      for (const line of painted) expect(line.split("\u001b[0m")).toHaveLength(opened(line) + 1);
    }
  });

  test("what has no room is counted, and what runs or failed is shown first", async () => {
    const id = await finished("submit error_handling");
    terminal.rows = 8;
    await terminal.run(`watch ${id}`);
    const [lines = []] = terminal.drawings;
    expect(lines).toHaveLength(7);
    expect(lines.filter((line) => line.includes("✗ failed"))).toHaveLength(3);
    expect(lines.at(-1)).toBe("… and 4 more nodes");
  });

  test("the time goes on while nothing happens, and stops with the job", async () => {
    const id = await submitted("submit hello_world");
    const watching = terminal.run(`watch ${id}`);
    await http.runtime.clock.advance(100);
    const drawn = terminal.drawings.length;
    for (const tick of terminal.ticking) tick();
    expect(terminal.drawings).toHaveLength(drawn + 1);
    await http.runtime.runToEnd(id);
    await http.runtime.clock.advance(20_000);
    expect(await watching).toBe(0);
    expect(terminal.ticking.size).toBe(0);
  });

  test("an app that went away is told in the drawing", async () => {
    const id = await submitted();
    away((asked) => asked >= 1 && asked < 4);
    const watching = terminal.run(`watch ${id}`);
    await http.runtime.runToEnd(id);
    await http.runtime.clock.advance(20_000);
    expect(await watching).toBe(0);
    const told = terminal.drawings.map((lines) => lines.at(-1)?.includes("not reached"));
    expect(told.slice(0, 3)).toEqual([false, true, false]);
    expect(told.lastIndexOf(true)).toBe(1);
    expect(terminal.errors).toEqual([]);
  });
});

function opened(line: string): number {
  return line.split("\u001b[").length - 1 - (line.split("\u001b[0m").length - 1);
}

test.each([
  ["日本語のテキスト", 9, "日本語の…"],
  ["e\u0301e\u0301e\u0301", 2, "e\u0301…"],
  ["✓ fits", 6, "✓ fits"],
  [painter(true)("bad", "failed on its way"), 7, "\u001b[31mfailed…\u001b[0m"],
])("%j in %d places", (text, places, shown) => {
  expect(cutShown(text, places)).toBe(shown);
});

describe("an app that is away", () => {
  test("is asked again, for jobs outlive its restart", async () => {
    const id = await submitted();
    away((asked) => asked >= 1 && asked < 6);
    const watching = terminal.run(`watch ${id}`);
    await http.runtime.runToEnd(id);
    await http.runtime.clock.advance(20_000);
    expect(await watching).toBe(0);
    const gone = "the app is not reached; asking again for a minute";
    expect(terminal.errors).toEqual([gone, "the app is back"]);
    expect(terminal.restedMs).toBe(5_250);
  });

  test("for longer than a minute ends it", async () => {
    const id = await submitted();
    away((asked) => asked >= 1);
    expect(await terminal.run(`events ${id} --follow`)).toBe(3);
    expect(terminal.restedMs).toBe(60_250);
    expect(terminal.errors.at(1)).toBe("holdfast: the app is not reached");
  });

  test("by its own word is asked when it says", async () => {
    const id = await submitted();
    const reach = terminal.fetch;
    let asked = 0;
    terminal.fetch = async (input, init) => {
      asked += 1;
      if (asked > 3) await http.runtime.runToEnd(id);
      if (asked === 1 || asked > 3) return reach(input, init);
      const problem = { code: "RATE_LIMITED", detail: "slow down", retry_after_seconds: 7 };
      const headers = { "content-type": "application/problem+json" };
      return new Response(JSON.stringify(problem), { status: 429, headers });
    };
    expect(await terminal.run(`watch ${id}`)).toBe(0);
    const told = "the app answers RATE_LIMITED; asking again for a minute";
    expect([terminal.errors, terminal.restedMs]).toEqual([[told, "the app is back"], 14_250]);
  });

  test("at the first question is told at once", async () => {
    const id = await submitted();
    away(() => true);
    expect(await terminal.run(`watch ${id}`)).toBe(3);
    expect(terminal.restedMs).toBe(0);
  });

  test("that does not hold the request is asked once a second", async () => {
    const id = await submitted();
    const reach = terminal.fetch;
    let asked = 0;
    terminal.fetch = async (input, init) => {
      asked += 1;
      if (asked === 5) await http.runtime.runToEnd(id);
      const url = input instanceof Request ? input.url : input.toString();
      return reach(url.replace("wait=20", "wait=0"), init);
    };
    expect(await terminal.run(`watch ${id}`)).toBe(0);
    expect([asked, terminal.restedMs]).toEqual([5, 3_250]);
  });
});

test("Ctrl-C ends with 130, and says that the job goes on", async () => {
  const id = await submitted();
  terminal.fetch = () => {
    terminal.controller.abort();
    return Promise.reject(new DOMException("aborted", "AbortError"));
  };
  expect(await terminal.run(`watch ${id}`)).toBe(130);
  expect(terminal.errors).toEqual([`the job goes on: holdfast watch ${id}`]);
});
