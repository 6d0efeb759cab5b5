// YAML to a definition: what is refused, at which place, in which words; and what comes out.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDefinition } from "../../../src/core/parse.ts";
import { allMissing, definitionOf, issuesOf, parse, workflow } from "../../support/parsed.ts";

function check(source: string, expected: readonly string[]): void {
  expect(issuesOf(source)).toEqual(expected);
}

test("the smallest workflow gets every default", () => {
  expect(definitionOf(workflow(""))).toEqual({
    workflow_id: "w",
    version: 1,
    is_active: true,
    timeout_seconds: 604_800,
    inputs: {},
    vars: {},
    nodes: {
      s: { type: "start", next: ["a"] },
      e: { type: "end" },
      a: { type: "task", handler: "echo", params: {}, timeout_seconds: 300, next: ["e"] },
    },
  });
});

test("every issue names the file", () => {
  const parsed = parse("a: 1");
  expect(parsed.ok).toBe(false);
  if (!parsed.ok) expect(parsed.issues.every(({ file }) => file === "w.yaml")).toBe(true);
});

test("block, flow and quoted forms mean the same", () => {
  const flow = `{"workflow_id": 'w', version: 0x1, nodes: {s: {type: start, next: [a]},
    e: {type: end}, a: {type: task, handler: "echo", next: [e]}}}`;
  expect(definitionOf(flow)).toEqual(definitionOf(workflow("")));
});

test("a byte order mark, CRLF, comments and document marks change nothing", () => {
  const source = `\uFEFF# comment\n---\n${workflow("")}...\n# after\n`.replaceAll("\n", "\r\n");
  expect(definitionOf(source)).toEqual(definitionOf(workflow("")));
});

test("negative zero becomes zero, as in the stored snapshot", () => {
  const { vars } = definitionOf(workflow("", "vars: {a: -0.0, b: -0, c: 0}\n"));
  expect(vars).toStrictEqual({ a: 0, b: 0, c: 0 });
});

test("words of YAML 1.1 stay text", () => {
  const { vars } = definitionOf(workflow("", "vars: {a: yes, b: off, c: 2020-01-01, d: 1_000}\n"));
  expect(vars).toEqual({ a: "yes", b: "off", c: "2020-01-01", d: "1_000" });
});

describe("YAML", () => {
  test("a file that holds no map is told what a workflow is", () => {
    const expected = "expected a workflow: a map with workflow_id, version and nodes";
    check("", [`1:1 ${expected}`]);
    check("# only a comment\n", [`1:1 ${expected}`]);
    check("- a", [`1:1 ${expected}`]);
    check("text", [`1:1 ${expected}`]);
    check("~", [`1:1 ${expected}`]);
  });

  test("a file above 64 KiB is not parsed", () => {
    check("#".repeat(65_537), ["1:1 the file has 65537 bytes, at most 65536 are allowed"]);
    check(`# ${"é".repeat(32_768)}`, ["1:1 the file has 65538 bytes, at most 65536 are allowed"]);
    const filler = `# ${"x".repeat(65_533 - workflow("").length)}\n`;
    expect(issuesOf(filler + workflow(""))).toEqual([]);
  });

  test("a duplicate key is refused where it stands, the first one told", () => {
    check(workflow("    handler: sleep\n"), [
      '10:5 the key "handler" is there already, in line 8',
    ]);
    check(`workflow_id: x\n${workflow("")}`, [
      '2:1 the key "workflow_id" is there already, in line 1',
    ]);
  });

  test("keys that reach a prototype are refused at every depth", () => {
    for (const key of ["__proto__", "constructor", "prototype"]) {
      check(workflow(`    params: {a: [{${key}: {x: 1}}]}\n`), [
        `10:19 the key "${key}" is not allowed`,
      ]);
    }
    expect(Object.hasOwn(Object.prototype, "x")).toBe(false);
  });

  test("anchors and aliases are refused", () => {
    check(workflow("    params: {a: &x 1, b: *x}\n"), [
      "10:20 anchors are not allowed, found &x",
      "10:26 aliases are not allowed: repeat the value",
    ]);
    check(workflow("    params: {&k a: 1}\n"), ["10:17 anchors are not allowed, found &k"]);
    check(workflow("    params: {a: *nope}\n"), [
      "10:17 aliases are not allowed: repeat the value",
    ]);
    check("&w {}", ["1:4 anchors are not allowed, found &w", ...allMissing("1:4")]);
  });

  test("tags are refused, known and unknown, once each", () => {
    check(workflow('    params: {a: !foo 1, b: !!str 2, c: !!binary "aGk=", d: !!map {}}\n'), [
      "10:22 tags are not allowed, found !foo",
      "10:34 tags are not allowed, found tag:yaml.org,2002:str",
      "10:49 tags are not allowed, found tag:yaml.org,2002:binary",
      "10:66 tags are not allowed, found tag:yaml.org,2002:map",
    ]);
  });

  test("directives are refused", () => {
    check(`%YAML 1.1\n---\n${workflow("")}`, ["1:1 YAML directives are not allowed"]);
    check(`# c\n%TAG !x! a:\n---\n${workflow("")}`, ["2:1 YAML directives are not allowed"]);
    check(`%FOO bar\n---\n${workflow("")}`, ["1:1 not valid YAML: Unknown directive %FOO"]);
  });

  test("a merge key is refused, the quoted text is a key like others", () => {
    check(workflow("    params: {<<: {a: 1}}\n"), [
      "10:14 merge keys are not allowed: repeat the members",
    ]);
    expect(issuesOf(workflow('    params: {"<<": {a: 1}}\n'))).toEqual([]);
  });

  test("a second document is refused", () => {
    check(`${workflow("")}---\na: 1\n`, ["10:1 expected one YAML document, found a second one"]);
  });

  test("a key that is no text is refused; unquoted braces get their hint", () => {
    check(workflow("    params: {[1]: 1}\n"), ["10:14 expected a text as a key"]);
    check(workflow("    params:\n      x: {{ inputs.a }}\n"), [
      "11:11 expected a text, found a map as a key" +
        ' | put quotes around a text that begins with {{: "{{ inputs.name }}"',
    ]);
  });

  test("numbers that JSON would bend are refused where they stand", () => {
    check(workflow("    params: [1]\n").replace("[1]", "{a: 9007199254740993, b: .nan}"), [
      "10:17 the integer 9007199254740993 cannot be kept exactly: put quotes around it",
      "10:38 expected a finite number, got .nan",
    ]);
    check(workflow("    params: {a: [1e999, -.inf]}\n"), [
      "10:18 expected a finite number, got 1e999",
      "10:25 expected a finite number, got -.inf",
    ]);
    const { vars } = definitionOf(workflow("", "vars: {a: 9007199254740991, b: -0x10}\n"));
    expect(vars).toEqual({ a: 9007199254740991, b: "-0x10" });
  });

  test("a lone surrogate is refused, as a value and as a key", () => {
    check(workflow('    params: {a: "\\ud800"}\n'), [
      "10:17 expected well-formed Unicode, got a lone surrogate",
    ]);
    check(workflow('    params: {"\\udfff": 1}\n'), [
      "10:14 expected well-formed Unicode, got a lone surrogate",
    ]);
  });

  test("nesting is bounded", () => {
    const nested = (levels: number) =>
      workflow(`    params: {a: ${"[".repeat(levels)}${"]".repeat(levels)}}\n`);
    expect(issuesOf(nested(60))).toEqual([]);
    check(nested(61), ["10:77 nested deeper than 64 levels"]);
    expect(issuesOf("[".repeat(60_000))[0]).toContain("nested deeper than 64 levels");
  });

  test("a syntax error keeps its place and does not hide the rest", () => {
    const found = issuesOf(workflow("    params: {a: 1\n").replace("next: a}", "nxt: a}"));
    expect(found[0]).toBe(
      '4:20 node "s": unknown key "nxt", allowed are type, description, next' +
        ' | did you mean "next"?',
    );
    expect(found[1]).toMatch(/^11:1 not valid YAML: /);
  });

  test("tabs as indentation are told", () => {
    expect(issuesOf("nodes:\n\ta: 1\n")).toContain(
      "2:1 not valid YAML: Tabs are not allowed as indentation",
    );
  });

  test("no more than a hundred issues are listed, and the number of the others", () => {
    const keys = Array.from({ length: 150 }, (_, index) => `    k${index}: 1\n`).join("");
    const found = issuesOf(workflow(keys));
    expect(found).toHaveLength(101);
    expect(found[99]).toMatch(/^109:5 node "a": unknown key "k99"/);
    expect(found[100]).toBe("undefined:undefined 50 more problems are not listed");
  });
});

describe("a hint", () => {
  /** Told how often somebody looks through the names. */
  class CountedNames extends Map<string, undefined> {
    looks = 0;
    override keys() {
      this.looks += 1;
      return super.keys();
    }
  }

  test("is looked for only where its issue is listed", () => {
    const ids = Array.from({ length: 450 }, (_, index) => `t${index}`);
    const tasks = ids.map((id) => `  ${id}: {type: task, handler: ecoh, next: e}\n`).join("");
    const source = workflow(tasks).replace("next: a", `next: [a, ${ids.join(", ")}]`);
    const handlers = new CountedNames([["echo", undefined]]);
    const parsed = parseDefinition(source, { file: "w.yaml", handlers });
    const issues = parsed.ok ? [] : parsed.issues;
    expect(issues).toHaveLength(101);
    expect(issues[0]?.hint).toBe('did you mean "echo"?');
    expect(handlers.looks).toBe(100);
  });

  test("is not looked for among hundreds of long names", () => {
    const long = "n".repeat(60);
    const nodes = (count: number) =>
      workflow(Array.from({ length: count }, (_, at) => `  ${long}${at}: {type: end}\n`).join(""))
        .replace("next: e", `next: m${long}`);
    const hints = (count: number) =>
      issuesOf(nodes(count)).filter((issue) => issue.includes("did you mean"));
    expect(hints(20)).toHaveLength(1);
    expect(hints(450)).toHaveLength(0);
  });

  test("of thousands of unknown targets is looked for a hundred times", () => {
    const nodes = Array.from({ length: 450 }, (_, at) => `  xnode_${at}: {type: end}\n`).join("");
    const room = 64 * 1024 - nodes.length - 300;
    const targets = Array.from({ length: room / 12 }, (_, at) => `znode_${at}`).join(", ");
    const found = issuesOf(workflow(nodes).replace("next: a", `next: [${targets}]`));
    expect(found).toHaveLength(101);
    expect(found[100]).toMatch(/ \d{4} more problems are not listed$/);
    expect(found.filter((issue) => issue.includes("did you mean"))).not.toHaveLength(0);
  });
});

describe("a broken file", () => {
  const idOf = (source: string) => {
    const parsed = parse(source);
    return parsed.ok ? "ok" : [parsed.workflow_id, parsed.version];
  };

  test("says what it is as far as it can be read", () => {
    expect(idOf("workflow_id: w\nversion: 3\n")).toEqual(["w", 3]);
    expect(idOf("workflow_id: w\nversion: 3\nnodes: {a: [")).toEqual(["w", 3]);
    expect(idOf('workflow_id: w\nversion: "3"\n')).toEqual(["w", undefined]);
    expect(idOf("workflow_id: W W\nversion: 0\n")).toEqual([undefined, undefined]);
    expect(idOf("workflow_id: [w]\nversion: 1.5\n")).toEqual([undefined, undefined]);
    expect(idOf("")).toEqual([undefined, undefined]);
    expect(idOf("workflow_id: w\nworkflow_id: x\nversion: 1\n")).toEqual(["w", 1]);
  });

  test("tells mistakes of all kinds at once, in the order of the file", () => {
    const source = workflow("    parms: {}\n", "  f: {type: fan_in}\n")
      .replace("handler: echo", "handler: ecoh")
      .replace("next: a", "next: [a, b]")
      .replace("version: 1", "version: 1\ninputs: {x: {type: boolean, min: 1}}");
    expect(issuesOf(source).map((issue) => issue.split(" ")[0])).toEqual([
      "3:34", // min of a boolean
      "5:30", // unknown target
      "9:14", // unknown handler
      "11:5", // unknown key
    ]);
  });

  test("is examined as far as it can be read", () => {
    // Mistakes in one node, its retry, params and on_error do not hide each other.
    const source = workflow(`    retry: {max_attempts: x}
    params: {p: "{{ inputs.nope }}"}
    on_error: gone
  c:
    type: conditional
    condition_field: size
    branches:
      - {name: 1, next: e, default: true}
      - {name: b, next: gone, condition: "value =="}
  3x: {type: task, handler: nope}
  y: 7
`);
    expect(issuesOf(source).map((issue) => issue.split(" ")[0])).toEqual([
      "10:27", // max_attempts
      "11:21", // unknown input
      "12:15", // unknown target
      "17:16", // branch name; the other branches wait for its repair
      "19:3", // node id
      "20:6", // no map
    ]);
  });
});

describe("whatever the text", () => {
  // About 2 s each; machines that build other things meanwhile take longer.
  const SLOW_MS = 30_000;
  const words = [
    "workflow_id: |version: |nodes: |inputs: |vars: |type: |task|start|end|fan_in|fan_out|enum: ",
    "conditional|next: |branches: |params: |handler: |echo|{{ |}}|inputs.|nodes.a.output|min: ",
    "a|b|\n|\n  |\n    |\n      - |: |, |{|}|[|]|\"|'|- |? |#|&x |*x|!t |%Y|<<: |__proto__: ",
    "---\n|...\n|1|0x|1e999|.nan|~|\t|\uFEFF|\ud800|\u0000|\r|>\n |  |pattern: (",
  ].flatMap((line) => line.split("|"));
  const pieces = fc.constantFrom(...words, "|\n ");

  function checkTotal(source: string): void {
    const parsed = parse(source);
    if (parsed.ok) return;
    expect(parsed.issues.length).toBeGreaterThan(0);
    for (const { line, column } of parsed.issues.slice(0, 100)) {
      expect(line).toBeGreaterThanOrEqual(1);
      expect(column).toBeGreaterThanOrEqual(1);
    }
  }

  test("parsing never throws and every issue has a place", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), checkTotal), {
      numRuns: 200,
    });
    const texts = fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(""));
    fc.assert(fc.property(texts, checkTotal), { numRuns: 300 });
  }, SLOW_MS);

  test("a valid workflow with one stretch replaced never throws", () => {
    const valid = workflow(`    params: {a: "{{ job.job_id }}", b: [1, {c: true}]}
    retry: {max_attempts: 3}
  c:
    type: conditional
    condition_field: "{{ nodes.a.output }}"
    branches:
      - {name: x, condition: "< 3", next: e}
      - {name: y, default: true, next: [e]}
`).replace("next: e\n", "next: c\n");
    expect(issuesOf(valid)).toEqual([]);
    const at = fc.nat({ max: valid.length });
    const edit = fc.tuple(at, fc.nat({ max: 8 }), pieces).map(([from, length, text]) => {
      return valid.slice(0, from) + text + valid.slice(from + length);
    });
    fc.assert(fc.property(edit, checkTotal), { numRuns: 300 });
  }, SLOW_MS);

  test("JSON values at any place of a definition never throw", () => {
    const value = fc.json({ maxDepth: 4 });
    const key = fc.constantFrom("workflow_id", "version", "nodes", "inputs", "vars", "name");
    fc.assert(
      fc.property(fc.dictionary(key, value), (parts) => {
        const members = Object.entries(parts).map(([name, json]) => `"${name}": ${json}`);
        checkTotal(`{${members.join(", ")}}`);
      }),
      { numRuns: 150 },
    );
  }, SLOW_MS);
});

test("a workflow in other dialects is refused as a whole, each word with its counterpart", () => {
  const file = new URL("../../fixtures/workflows/other-dialect.yaml", import.meta.url);
  const found = issuesOf(readFileSync(file, "utf8")).map((issue) => {
    return issue.replace(/, allowed are [^|]*(?= \||$)/, "");
  });
  expect(found).toEqual([
    '5:9 input "path": expected a map, got "string"',
    '8:3 node "check": missing "condition_field"',
    '10:5 node "check": unknown key "condition" | did you mean "condition_field"?',
    '12:7 node "check": branches: expected a list, got a map',
    '14:3 node "route": missing "branches"',
    '17:5 node "route": unknown key "on_true" | did you mean "branches"?',
    '18:5 node "route": unknown key "on_false" | did you mean "branches"?',
    '22:17 node "big": depends_on: expected a map, got a list' +
      " | write depends_on: { all_of: [node_id] }",
    '23:5 node "big": unknown key "retries" | did you mean "retry.max_attempts"?',
    '24:5 node "big": unknown key "nxt" | did you mean "next"?',
    '25:3 node "small": missing "handler"',
    '27:5 node "small": unknown key "uses" | did you mean "handler"?',
    '28:5 node "small": unknown key "with" | did you mean "params"?',
    '29:5 node "small": unknown key "timeout" | did you mean "timeout_seconds"?',
  ]);
});

test("keys too long to lead to a value are refused where they stand, with all below them", () => {
  const told = (chars: number) =>
    `the keys that lead here have ${chars} characters, at most 2048 are allowed`;
  const below = "*a, ".repeat(8_000);
  const long = "n".repeat(30_000);
  expect(issuesOf(workflow("", `vars: {\n ? ${long}\n : [${below}] }\n`))).toEqual([
    `11:4 ${told(30_006)}`,
  ]);
  const half = "n".repeat(1000);
  const nested = (last: number) =>
    workflow("", `vars: { v: { ${half}: { ${half}: { ${"n".repeat(last)}: 1 } } } }\n`);
  expect(issuesOf(nested(38))).toEqual([]);
  expect(issuesOf(nested(39))).toEqual([`10:2022 ${told(2049)}`]);
});

test("a name as long as the file does not stand in full in every issue", () => {
  const name = "n".repeat(1900);
  const members = Array.from({ length: 90 }, () => "constructor: 1").join(", ");
  const parsed = parse(`vars: { v: { ${name}: { ${members} } } }\n${name}: 1`);
  const issues = parsed.ok ? [] : parsed.issues;
  expect(issues.length).toBeGreaterThan(90);
  expect(JSON.stringify(issues).length).toBeLessThan(20_000);
});
