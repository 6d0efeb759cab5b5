// A terminal for tests of the command line: what was written stands in lists, files in a map, and
// requests go into the real handlers in memory. Nothing waits, unless a test's clock does.
import { EXAMPLE_PARAMS } from "../../src/api/operation.ts";
import { holdfast } from "../../src/cli/holdfast.ts";
import type { Setting } from "../../src/cli/holdfast.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { epochMs } from "../../src/core/instant.ts";
import { HandlerRegistry } from "../../src/runtime/handlers.ts";
import { builtinHandlers } from "../../src/tasks/builtin.ts";
import { operationAt } from "./documented.ts";
import type { HttpApp } from "./http-app.ts";
import { turningClock } from "./manual-clock.ts";

const clock = turningClock();

export const SETTING: Setting = {
  handlers: new HandlerRegistry(builtinHandlers({ http: { allow: [] }, clock })),
  clock,
  nodeVersion: "22.12.0",
  version: "0.1.0+test",
};

export class TestTerminal implements Terminal {
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  readonly drawings: (readonly string[])[] = [];
  readonly files = new Map<string, string>();
  readonly modes = new Map<string, number>();
  readonly env: Record<string, string | undefined> = { HOME: "/home/ann", HOLDFAST_KEY: "a-key" };
  readonly questions: string[] = [];
  readonly controller = new AbortController();
  readonly signal = this.controller.signal;
  /** What is asked of the network, with the headers. */
  readonly requests: { readonly url: string; readonly key: string | null }[] = [];
  answer = "";
  isTty = false;
  canAsk = false;
  columns = 80;
  rows = 24;
  /** What is to happen each second: a test calls it. */
  readonly ticking = new Set<() => void>();
  fetch: typeof fetch = () => Promise.reject(new TypeError("fetch failed"));

  readonly out = (line: string): void => void this.lines.push(line);
  readonly err = (line: string): void => void this.errors.push(line);
  readonly nowMs = (): number => epochMs("2026-01-01T00:00:10.000Z") + this.restedMs;
  /** How long the command meant to rest, in all. */
  restedMs = 0;
  readonly pause = async (ms: number): Promise<void> => {
    this.restedMs += ms;
  };
  readonly everySecond = (act: () => void): (() => void) => {
    this.ticking.add(act);
    return () => this.ticking.delete(act);
  };
  readonly redraw = (lines: readonly string[]): void => void this.drawings.push(lines);
  readonly readText = async (path: string): Promise<string> => {
    const text = this.files.get(path);
    if (text === undefined) throw Object.assign(new Error("not there"), { code: "ENOENT" });
    return text;
  };
  readonly writeNew = async (path: string, text: string): Promise<void> => {
    if (this.files.has(path)) throw Object.assign(new Error("there"), { code: "EEXIST" });
    this.files.set(path, text);
  };
  readonly list = async (path: string): Promise<readonly string[] | undefined> => {
    const inside = [...this.files.keys()].filter((name) => name.startsWith(`${path}/`));
    const names = inside.map((name) => name.slice(path.length + 1).replace(/\/.*$/, ""));
    return inside.length === 0 ? undefined : [...new Set(names)];
  };
  readonly mode = async (path: string): Promise<number | undefined> =>
    this.files.has(path) ? (this.modes.get(path) ?? 0o100600) : undefined;
  readonly ask = async (question: string): Promise<string> => {
    this.questions.push(question);
    return this.answer;
  };

  get text(): string {
    return this.lines.join("\n");
  }

  /** The app in memory behind every endpoint. */
  reach(http: HttpApp): this {
    this.fetch = async (input, init = {}) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const headers = Object.fromEntries(new Headers(init.headers ?? {}));
      this.requests.push({ url: url.href, key: headers["x-functions-key"] ?? null });
      const path = url.pathname.replace("/api/v1", "");
      const operation = operationAt(init.method ?? "GET", path);
      if (operation === undefined) return new Response("", { status: 404 });
      const answer = await http.call(operation.name, {
        params: paramsOf(operation.path, path),
        query: Object.fromEntries(url.searchParams),
        headers,
        ...(typeof init.body === "string" ? { body: init.body } : {}),
      });
      const body = answer.text === "" ? null : answer.text;
      return new Response(body, { status: answer.status, headers: answer.headers });
    };
    return this;
  }

  /** Runs a command line, split at spaces; a word may stand in quotes. */
  run(line: string): Promise<number> {
    const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word);
    return holdfast(words as string[], this, SETTING);
  }
}

function paramsOf(template: string, path: string): Readonly<Record<string, string>> {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const pattern = new RegExp(`^${template.replaceAll(/\{\w+\}/g, "([^/]+)")}$`);
  const [, ...values] = pattern.exec(path) ?? [];
  const given = names.map((name, index) => [name, decodeURIComponent(values[index] ?? "")]);
  return { ...EXAMPLE_PARAMS, ...(Object.fromEntries(given) as Record<string, string>) };
}
