// Secrets in definitions: where they may stand, what the reducer sees of them, and which documents
// tell an older build to keep its hands off. No value is known here.
import { describe, expect, test } from "vitest";
import { applyEntry } from "../../../src/core/apply.ts";
import { digest } from "../../../src/core/canonical.ts";
import { createJob } from "../../../src/core/create-job.ts";
import type { WorkflowDefinition } from "../../../src/core/definition.ts";
import { DOCUMENT_SCHEMA, SECRETS_SCHEMA } from "../../../src/core/event.ts";
import { compileWorkflow } from "../../../src/core/graph.ts";
import { MAX_EVALUATION_STEPS } from "../../../src/core/limits.ts";
import { DEFAULT_RETENTION } from "../../../src/core/retention.ts";
import { fillSealed, secretMark, secretName } from "../../../src/core/secret.ts";
import { parseTemplate, sealTemplate } from "../../../src/core/template.ts";
import type { Json } from "../../../src/core/json.ts";
import { definition, fanIn, fanOut, sha256, start, task } from "../../support/build.ts";
import { TestEngine } from "../../support/engine.ts";
import type { RunItems, RunTask } from "../../support/engine.ts";
import { issuesOf, workflow } from "../../support/parsed.ts";

const ALONE = 'a secret stands alone in its braces, as {{ secrets.NAME }}';
const AROUND = 'text goes around the braces: "Bearer {{ secrets.NAME }}"';

/** What is wrong with a workflow whose task has these params, and its list of secrets. */
function params(value: string, list = "secrets: [A, B]\n"): readonly string[] {
  return issuesOf(workflow(`    params: {p: ${value}}\n`, list));
}

describe("what loads", () => {
  test("names on the list, alone or inside a text, at any depth", () => {
    expect(params("[\"{{ secrets.A }}\", {q: \"Bearer {{secrets.B}}!\"}]")).toEqual([]);
  });

  test("names on the list in the task of a fan_out, beside its item", () => {
    const nodes = `workflow_id: w
version: 1
secrets: [A]
nodes:
  s: {type: start, next: f}
  f:
    type: fan_out
    source: "{{ [1] }}"
    task: {handler: echo, params: {p: "{{ item }} {{ secrets.A }}"}}
    next: i
  i: {type: fan_in, next: e}
  e: {type: end}
`;
    expect(issuesOf(nodes)).toEqual([]);
  });
});

describe("what is refused", () => {
  test.each([
    ["secrets.A + 'x'", 21],
    ["size(secrets.A)", 26],
    ["secrets['A']", 21],
    ["secrets[inputs.n]", 21],
    ["secrets", 21],
    ["secrets.A.b", 21],
    ["has(secrets.A)", 25],
    ["default(secrets.A, '')", 29],
    ["[1].map(x, secrets.A)", 32],
    ["{'a': secrets.A}", 27],
  ])("%s", (expression, column) => {
    const said = params(`"{{ ${expression} }} {{ secrets.A }} {{ secrets.B }}"`);
    expect(said[0]).toBe(`10:${column} node "a": ${ALONE} | ${AROUND}`);
  });

  test("a variable of a macro may be called so, for it hides the outer name", () => {
    expect(params('"{{ [1].map(secrets, secrets + 1) }} {{ secrets.A }} {{ secrets.B }}"')).toEqual(
      [],
    );
  });

  test("a name that is not on the list", () => {
    expect(params('"{{ secrets.A }}{{ secrets.B }}{{ secrets.TOKN }}"')).toEqual([
      `10:51 node "a": secrets.TOKN: expected a name on the workflow's list, found no "TOKN"` +
        " | add it: secrets: [A, B, TOKN]",
    ]);
    expect(params('"{{ secrets.TOKN }}"', "secrets: [TOKEN]\n")).toContain(
      `10:21 node "a": secrets.TOKN: expected a name on the workflow's list, found no "TOKN"` +
        ' | did you mean "TOKEN"?',
    );
    expect(params('"{{ secrets.A }}"', "")).toEqual([
      `10:21 node "a": secrets.A: expected a name on the workflow's list, found no "A"` +
        " | add it: secrets: [A]",
    ]);
  });

  test("a name on the list that nothing uses", () => {
    expect(params('"{{ secrets.A }}"')).toEqual([
      '11:14 workflow: secrets: no task uses "B" | leave it out of the list',
    ]);
  });

  test("an unused name is no news where something could not be read", () => {
    expect(params('"{{ secrets.A + }}"')).toHaveLength(1);
    expect(issuesOf(workflow("    bad: 1\n", "secrets: [A]\n"))).toHaveLength(1);
  });

  test("anywhere but in the params of tasks", () => {
    const home = '"secrets" is there only in the params of tasks, as {{ secrets.NAME }}';
    const nodes = `workflow_id: w
version: 1
secrets: [A]
inputs:
  i: {type: string, default: "{{ secrets.A }}"}
  j: {type: integer}
vars: {v: [{w: "x {{secrets.A}}"}], n: 1, z: null}
nodes:
  s: {type: start, next: [f, a]}
  a: {type: task, handler: echo, params: {p: "{{ secrets.A }}"}, next: c}
  f: {type: fan_out, source: "{{ secrets.A }}", task: {handler: echo}, next: i}
  i: {type: fan_in, select: "secrets.A", next: e}
  c:
    type: conditional
    condition_field: "{{ secrets.A }}"
    branches:
      - {name: one, condition: "value == secrets.A", next: e}
      - {name: two, default: true, next: e}
  e: {type: end}
`;
    const plain = "this text is not rendered | a secret stands only in the params of tasks";
    expect(issuesOf(nodes)).toEqual([
      `5:31 inputs.i: ${plain}`,
      `7:19 vars.v: ${plain}`,
      `11:34 node "f": ${home}`,
      `12:30 node "i": ${home}`,
      `15:26 node "c": ${home}`,
      `17:42 node "c": ${home}`,
    ]);
  });

  test("a list that is none, or says a name twice, or none, or what is no name", () => {
    const list = (text: string) => issuesOf(workflow("", `secrets: ${text}\n`))[0];
    expect(list("A")).toBe('10:10 workflow: secrets: expected a list, got "A"');
    expect(list("[]")).toBe("10:10 workflow: secrets: expected at least 1 item, got a list");
    expect(list("[A, A]")).toBe("10:10 workflow: secrets: expected each name once, got a list");
    expect(list("[A-B]")).toContain("10:11 workflow: secrets[0]: expected a name");
    expect(list("[1]")).toBe("10:11 workflow: secrets[0]: expected a text, got 1");
    expect(list("[constructor]")).toContain("this word is reserved");
    expect(list(`[${Array.from({ length: 21 }, (_, n) => `A${n}`).join()}]`)).toBe(
      "10:10 workflow: secrets: expected at most 20 items, got a list",
    );
  });

  test("a snapshot whose task names a secret that its list lacks", () => {
    const node = task({ params: { p: "{{ secrets.A }}" } });
    const compile = (secrets: readonly string[]) =>
      compileWorkflow(definition({ s: start("a"), a: node }, { secrets }), "d");
    expect(compile(["A"]).nodes.size).toBe(2);
    expect(() => compile(["B"])).toThrow('node "a": secrets.A is not on the list of secrets');
  });
});

test.each([
  ["secrets.A", "A"],
  ["  secrets.A_1\n", "A_1"],
  ["secrets", undefined],
  ["secrets.", undefined],
  ["secrets.1", undefined],
  ["secrets.A.b", undefined],
  ['secrets["A"]', undefined],
  ["mysecrets.A", undefined],
  ["secrets .A", undefined],
])("the name in %j is %j", (source, name) => {
  expect(secretName(source)).toBe(name);
});

describe("sealed params", () => {
  const seal = (value: Json, scope = {}) => {
    const parsed = parseTemplate(value);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
    return sealTemplate(parsed.template, scope, { steps: MAX_EVALUATION_STEPS });
  };

  test("the value has marks, and the sealed form takes what is given", () => {
    const { value, sealed } = seal({
      alone: "{{ secrets.A }}",
      text: "Bearer {{ secrets.A }}, {{ secrets.B }}",
      list: [1, ["{{ secrets.B }}"]],
      same: "as it stands",
    });
    expect(value).toEqual({
      alone: { $secret: "A" },
      text: 'Bearer {"$secret":"A"}, {"$secret":"B"}',
      list: [1, [{ $secret: "B" }]],
      same: "as it stands",
    });
    expect(fillSealed(sealed, secretMark)).toEqual(value);
    expect(fillSealed(sealed, (name) => `<${name}>`)).toEqual({
      alone: "<A>",
      text: "Bearer <A>, <B>",
      list: [1, ["<B>"]],
      same: "as it stands",
    });
  });

  test("neither a value nor what looks like a mark is scanned again", () => {
    const inputs = { evil: "{{ secrets.A }}", mark: { $secret: "A" } };
    const { sealed } = seal(
      { a: "{{ inputs.evil }}", b: "x {{ inputs.evil }} {{ secrets.A }}", c: "{{ inputs.mark }}" },
      { inputs },
    );
    expect(fillSealed(sealed, () => "{{ secrets.A }}")).toEqual({
      a: "{{ secrets.A }}",
      b: "x {{ secrets.A }} {{ secrets.A }}",
      c: { $secret: "A" },
    });
  });
});

describe("what the reducer does", () => {
  const secretive = (): WorkflowDefinition =>
    definition(
      {
        s: start("a", "f"),
        a: task({ params: { p: "t {{ secrets.A }}", q: "{{ inputs.items }}" } }),
        f: fanOut({
          task: { handler: "item", params: { v: "{{ item }}", w: "{{ secrets.A }}" } },
          next: "i",
        }),
        i: fanIn(),
      },
      { inputs: { items: { type: "array" } }, secrets: ["A"] },
    );

  test("asks for work with sealed params and records the digest of the marks", () => {
    const engine = new TestEngine(secretive(), { inputs: { items: [4] } });
    const asked: (RunTask | RunItems)[] = [];
    while (engine.queue.length > 0 || engine.running.length > 0) {
      asked.push(...engine.running);
      engine.step();
    }
    const run = asked.find((work) => work.type === "run_task");
    const value = { p: 't {"$secret":"A"}', q: [4] };
    expect(run?.params).toEqual(value);
    expect(run?.sealed && fillSealed(run.sealed, () => "V")).toEqual({ p: "t V", q: [4] });
    expect(engine.of("node_started")[0]?.params_digest).toBe(digest(value, sha256));
    const items = asked.find((work) => work.type === "run_items")?.items;
    expect(items).toEqual([
      { index: 0, params: { v: 4, w: { $secret: "A" } }, sealed: expect.anything() },
    ]);
    expect(engine.job.status).toBe("completed");
  });

  test("asks for work without secrets as before", () => {
    const engine = new TestEngine(definition({ s: start("a"), a: task({ params: { p: 1 } }) }));
    engine.step();
    expect(engine.running[0]).not.toHaveProperty("sealed");
  });

  test("fails a node whose other expressions fail, and names no secret", () => {
    const params = { p: "{{ secrets.A }} {{ 1 / 0 }}" };
    const engine = new TestEngine(
      definition({ s: start("a"), a: task({ params }) }, { secrets: ["A"] }),
    ).run();
    expect(engine.node("a").error?.code).toBe("EXPRESSION_FAILED");
  });
});

describe("the schema of a job's documents", () => {
  const created = (more: Readonly<Record<string, unknown>>) =>
    createJob(
      {
        job_id: "j",
        at: "2026-01-01T00:00:00.000Z",
        write_id: "w",
        build: "b",
        definition: definition({ s: start() }, more),
        source: "",
        source_digest: "d",
        inputs: {},
        vars: {},
        request_digest: "r",
        retention: DEFAULT_RETENTION,
        authenticated_as: "key",
      },
      sha256,
    );

  test("is the first one without secrets, and the state says nothing of it", () => {
    const { entry, job } = created({});
    expect(entry.schema).toBe(DOCUMENT_SCHEMA);
    expect(job).not.toHaveProperty("schema");
  });

  test("is one that older builds leave alone with secrets, and the state remembers it", () => {
    const { entry, job } = created({ secrets: ["A"] });
    expect(entry.schema).toBe(SECRETS_SCHEMA);
    expect(job.schema).toBe(SECRETS_SCHEMA);
    expect(applyEntry(undefined, entry, sha256)).toEqual(job);
  });
});
