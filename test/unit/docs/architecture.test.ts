// ARCHITECTURE.md and docs/decisions.md: folders, imports, ports and paths are as they say.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { expect, test } from "vitest";
import { codeOf, codesOf, headingsOf, readPage, tableOf, withoutFences } from "./page.ts";

const page = readPage("ARCHITECTURE.md");

/** Every source file, by its folder of src (or the file itself, for main.ts). */
function sources(): ReadonlyMap<string, readonly string[]> {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" })
    .map((path) => path.split("\\").join("/"))
    .filter((path) => /\.tsx?$/.test(path));
  const byLayer = new Map<string, string[]>();
  for (const file of files) {
    const layer = layerOf(file);
    byLayer.set(layer, [...(byLayer.get(layer) ?? []), file]);
  }
  return byLayer;
}

function layerOf(path: string): string {
  return path.split("/")[0] ?? path;
}

/** The layers of src that a file imports, its own left out. */
function importedLayers(file: string): readonly string[] {
  const text = readFileSync(join("src", file), "utf8");
  const imports = text.matchAll(/(?:from|import\() ?"(\.{1,2}\/[^"]+)"/g);
  return [...imports]
    .map(([, target = ""]) => layerOf(posix.join(dirname(file), target)))
    .filter((layer) => layer !== layerOf(file));
}

test("every folder of src stands in the code map", () => {
  const rows = tableOf(page, "Code map").map(([cell]) => codeOf(cell));
  expect([...rows].sort()).toEqual([...sources().keys()].sort());
});

test("no folder imports one that the code map does not allow", () => {
  const rows = tableOf(page, "Code map");
  const allowed = new Map(rows.map(([folder, , may]) => [codeOf(folder), codesOf(may)]));
  const strays: string[] = [];
  let examined = 0;
  for (const [layer, files] of sources()) {
    for (const file of files) {
      examined += 1;
      for (const target of importedLayers(file)) {
        if (!allowed.get(layer)?.includes(target)) strays.push(`${file} imports ${target}`);
      }
    }
  }
  expect(strays).toEqual([]);
  expect(examined).toBeGreaterThan(50);
});

/** The members of each interface of ports.ts that are called. */
function portsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const interfaces = text.matchAll(/^export interface (\w+) \{\n(.*?)^\}/gms);
  const ports = [...interfaces].map(([, name = "", body = ""]) => {
    const members = [...body.matchAll(/^ {2}(\w+)\(/gm)].map(([, member = ""]) => member);
    return [name, members] as const;
  });
  return new Map(ports.filter(([, members]) => members.length > 0));
}

test("ports offer the operations of the table and no other", () => {
  const ports = portsOf(readFileSync("src/runtime/ports.ts", "utf8"));
  const rows = tableOf(page, "Ports");
  expect(new Map(rows.map(([name, operations]) => [codeOf(name), codesOf(operations)]))).toEqual(
    ports,
  );
  expect(ports.get("JournalStore")).toEqual(["create", "read"]);
});

test("no port deletes; the projection and the numbers are replaced, with an etag", () => {
  const text = readFileSync("src/runtime/ports.ts", "utf8");
  const operations = [...portsOf(text).values()].flat();
  expect(operations.filter((name) => /delete|remove|patch|upsert|batch|put/i.test(name))).toEqual(
    [],
  );
  const withEtag = expect.stringContaining("etag: string") as string;
  expect(text.match(/^ {2}(?:replace|write)\(document.*$/gm)).toEqual([withEtag, withEtag]);
});

test("nothing that handles messages asks a store to list", () => {
  const callers = (sources().get("runtime") ?? []).filter((file) =>
    /\.(?:due|list)\(/.test(readFileSync(join("src", file), "utf8")),
  );
  const others = callers.filter((file) => file !== "runtime/sweep.ts" && !isRegistry(file));
  // An operator's command, and the timer's gauges; nothing that handles messages imports them.
  expect(others.toSorted()).toEqual(["runtime/poison-desk.ts", "runtime/read-gauges.ts"]);
  expect(callers).toContain("runtime/sweep.ts");
});

/** The registry of handlers has a `list` that no store is behind. */
function isRegistry(file: string): boolean {
  return file === "runtime/describe-handlers.ts";
}

test("every path that a document names exists", () => {
  const inDocs = ["operations", "job-lifecycle", "decisions"].map((name) => `docs/${name}.md`);
  const paths = ["ARCHITECTURE.md", ...inDocs].flatMap((path) =>
    codesOf(withoutFences(readPage(path).text)).filter((code) =>
      /^(?:src|test|docs|build)\/[\w./-]+$/.test(code),
    ),
  );
  expect(paths.length).toBeGreaterThan(10);
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
});

const decisions = readPage("docs/decisions.md");

test("decisions are numbered from 1 without a gap", () => {
  const numbers = headingsOf(decisions).slice(1).map((title) => Number(/^\d+/.exec(title)?.[0]));
  expect(numbers.length).toBeGreaterThan(17);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test("each decision has its four parts in at most fifteen lines", () => {
  const entries = decisions.text.split(/^## /m).slice(1);
  for (const entry of entries) {
    const parts = [...entry.matchAll(/^- \*\*([^*]+)\.\*\* \S/gm)].map(([, name]) => name);
    const title = entry.split("\n", 1)[0] ?? "";
    expect(parts, title).toEqual(["Context", "Choice", "Cost", "Would change it"]);
    expect(entry.trimEnd().split("\n").length, title).toBeLessThanOrEqual(15);
  }
});

test("a package among the dependencies has its purpose in the decisions", () => {
  const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
    dependencies: Record<string, string>;
  };
  const named = codesOf(decisions.text);
  const unnamed = Object.keys(dependencies).filter(
    (name) => !named.includes(name) && !/^@(?:azure|opentelemetry)\//.test(name),
  );
  expect(unnamed).toEqual([]);
  expect(named).toContain("@opentelemetry/*");
  expect(named).toContain("@azure/*");
});
