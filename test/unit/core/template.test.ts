// Templates: what is found in them, what is refused, what rendering makes and how far it goes.
import { describe, expect, test } from "vitest";
import { ExpressionError, type Scope } from "../../../src/core/expression/evaluate.ts";
import type { Json } from "../../../src/core/json.ts";
import { MAX_EVALUATION_STEPS, MAX_TEMPLATE_CHARS } from "../../../src/core/limits.ts";
import {
  parseSingle,
  parseTemplate,
  renderTemplate,
  templateReferences,
} from "../../../src/core/template.ts";

function templateOf(value: Json) {
  const parsed = parseTemplate(value);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.template;
}

function render(value: Json, scope: Scope = {}): Json {
  return renderTemplate(templateOf(value), scope, { steps: MAX_EVALUATION_STEPS });
}

function issuesOf(value: Json) {
  const parsed = parseTemplate(value);
  return parsed.ok ? [] : parsed.issues;
}

const scope: Scope = {
  inputs: { name: "Ann", n: 3, yes: true, none: null, list: [1, "a"], map: { b: 1, a: [null] } },
};

test.each<[Json, Json]>([
  ["{{ inputs.n }}", 3],
  ["{{inputs.yes}}", true],
  ["{{ inputs.none }}", null],
  ["{{\n inputs.list\t}}", [1, "a"]],
  ["{{ inputs.map }}", { b: 1, a: [null] }],
  [" {{ inputs.n }}", " 3"],
  ["{{ inputs.n }}\n", "3\n"],
  ["Hello {{ inputs.name }}!", "Hello Ann!"],
  ["{{ inputs.n }}{{ inputs.n }}", "33"],
  ["a{{ inputs.none }}b", "ab"],
  ["is {{ inputs.yes }}", "is true"],
  ["{{ 0.5 }} of {{ 1e15 * 2 }}", "0.5 of 2000000000000000"],
  ["l={{ inputs.list }}", 'l=[1,"a"]'],
  ["m={{ inputs.map }}", 'm={"a":[null],"b":1}'],
  ["${{ inputs.n }}", "$3"],
  ['{{ "{{" }}', "{{"],
  ['{{ "}}" }}', "}}"],
  ["a {{ '{{ b }}' }} c", "a {{ b }} c"],
  ["{{ 'it\\'s }}' }}", "it's }}"],
  ["{{ {'a': {'b': inputs.n}}}}", { a: { b: 3 } }],
  ["{{ {'a': {'b': 1}}.a.b }}", 1],
  ["x{{ {'a': {}} }}y", 'x{"a":{}}y'],
  ["", ""],
  ["a } b }} c { d", "a } b }} c { d"],
  ["\u{1f600} {{ inputs.name }}", "\u{1f600} Ann"],
])("%j renders to %j", (value, expected) => {
  expect(render(value, scope)).toStrictEqual(expected);
});

test("texts at any depth are rendered and everything else stays", () => {
  const value = {
    a: [1, "{{ inputs.n }}", { b: "x{{ inputs.n }}", c: [null, true, "plain"] }],
    d: {},
    e: [],
    "f/g~h": "{{ inputs.list }}",
  };
  expect(render(value, scope)).toStrictEqual({
    a: [1, 3, { b: "x3", c: [null, true, "plain"] }],
    d: {},
    e: [],
    "f/g~h": [1, "a"],
  });
});

test("a value without templates is passed on as it is", () => {
  const value = { a: ["b", { c: 1 }] };
  expect(render(value)).toBe(value);
  expect(templateReferences(templateOf(value))).toEqual([]);
});

test("what was put in is never scanned again", () => {
  const hostile = { inputs: { a: "{{ inputs.b }}", b: "secret" } };
  expect(render("{{ inputs.a }}", hostile)).toBe("{{ inputs.b }}");
  expect(render("x {{ inputs.a }}", hostile)).toBe("x {{ inputs.b }}");
  expect(render("{{ '{' }}{ inputs.b }}", hostile)).toBe("{{ inputs.b }}");
  expect(render(["{{ inputs }}"], hostile)).toEqual([hostile.inputs]);
});

test("a key that could reach a prototype becomes an own key at most", () => {
  const value = JSON.parse('{"__proto__": {"x": "{{ 1 }}"}}') as Json;
  const rendered = render(value);
  expect(Object.getPrototypeOf(rendered)).toBe(Object.prototype);
  expect(JSON.stringify(rendered)).toBe('{"__proto__":{"x":1}}');
});

describe("problems", () => {
  test.each<[Json, string, number]>([
    ["{{ a", "{{ is not closed", 0],
    ["ab {{ a }", "{{ is not closed", 3],
    ["{{ 'a }}", "{{ is not closed", 0],
    ["{{ a }} {{ b", "{{ is not closed", 8],
    ["{{ {'a': 1 }}", "{{ is not closed", 0],
    ["{{", "{{ is not closed", 0],
    ["{{}}", "the expression is empty", 2],
    ["x {{  }}", "the expression is empty", 4],
    ["x {{ a b }}", 'expected an operator or the end, got "b"', 7],
    ["{{ {{ a }} }}", 'unexpected "{"', 3],
    ["{{{ a }}}", "the key a is not in quotes", 4],
  ])("%j", (value, message, offset) => {
    expect(issuesOf(value)).toMatchObject([{ pointer: "", message, offset }]);
  });

  test("all are told at once, each with its place and its hint", () => {
    const value = {
      "a/b~c": ["{{ x = 1 }} {{ y and z }} {{ fine }} {{ open"],
      "{{ key }}": "{{ 1 }}",
      fine: "{{ 1 }}",
    };
    expect(issuesOf(value)).toEqual([
      {
        pointer: "/a~1b~0c/0",
        message: 'unexpected "="',
        offset: 5,
        hint: "write == to compare; nothing can be assigned",
      },
      {
        pointer: "/a~1b~0c/0",
        message: 'expected an operator or the end, got "and"',
        offset: 17,
        hint: "write &&",
      },
      {
        pointer: "/a~1b~0c/0",
        message: "{{ is not closed",
        offset: 37,
        hint: 'close it with }}, and each quote in it; a literal {{ is written {{ "{{" }}',
      },
      {
        pointer: "/{{ key }}",
        message: "a key cannot hold {{ }}",
        offset: 0,
        hint: "keys are fixed; put the expression into the value",
      },
    ]);
  });

  test("a text with a template may have 16,384 characters, one without may be longer", () => {
    const fill = "a".repeat(MAX_TEMPLATE_CHARS - 7);
    expect(render(`${fill}{{ 1 }}`)).toBe(`${fill}1`);
    expect(issuesOf({ t: `${fill}{{ 1 }}b` })).toEqual([
      {
        pointer: "/t",
        message: "a text with {{ }} has at most 16384 characters, got 16385",
        offset: 0,
      },
    ]);
    expect(render("a".repeat(MAX_TEMPLATE_CHARS * 2))).toHaveLength(MAX_TEMPLATE_CHARS * 2);
  });

  test("a value nested too deep is one issue and no overflow", () => {
    let value: Json = "{{ 1 }}";
    for (let level = 0; level < 5000; level += 1) value = [value];
    expect(issuesOf(value)).toMatchObject([{ message: "nested deeper than 64 levels" }]);
  });
});

describe("texts of 4,000 characters that make patterns slow", () => {
  test.each([
    "{{".repeat(2000),
    "{{ ".repeat(1333),
    "}}".repeat(2000),
    `{{${" ".repeat(3998)}`,
    `{{${" ".repeat(3996)}}}`,
    `${"{".repeat(2000)}${"}".repeat(2000)}`,
    `{{ ${"'".repeat(3994)} }}`,
    `{{ '${"\\".repeat(3990)}' }}`,
    `{{ ${"(".repeat(3994)} }}`,
    "{{'".repeat(1333),
    '{{ "{{" '.repeat(500),
  ])("%#", (text) => {
    const issues = issuesOf(text);
    expect(issues.length).toBeLessThanOrEqual(1333);
    expect(text.startsWith("{{") === issues.length > 0).toBe(true);
  });

  test("a thousand expressions in one text are all rendered", () => {
    expect(render("{{1}}".repeat(1000))).toBe("1".repeat(1000));
  });
});

describe("rendering is bounded", () => {
  function reasonOf(value: Json, data: Scope): unknown {
    try {
      return render(value, data);
    } catch (error) {
      return error instanceof ExpressionError ? error.reason : error;
    }
  }
  const big = "a".repeat(300 * 1024);

  test.each<[string, Json, Scope]>([
    ["a text that repeats a large one", "{{ t }}".repeat(5), { t: big }],
    ["many texts", Array<Json>(5).fill("x{{ t }}"), { t: big }],
    ["many values by reference", Array<Json>(5).fill("{{ t }}"), { t: big }],
    ["members of a map", { a: "{{ t }}", b: { c: "{{ t + t }}", d: "{{ t }}" } }, { t: big }],
    ["lists in a text", "x{{ [t, t] }}{{ [t, t] }}", { t: big }],
    ["a value that shares its parts", `x{{ [1]${".map(x, [x, x])".repeat(28)} }}`, {}],
    ["the same as a whole value", `{{ [1]${".map(x, [x, x])".repeat(28)} }}`, {}],
  ])("%s", (_name, value, data) => {
    expect(reasonOf(value, data)).toBe("size");
  });

  test("the depth of template and value together is that of JSON", () => {
    const nest = (levels: number, inner: Json): Json =>
      levels === 0 ? inner : [nest(levels - 1, inner)];
    const data = { deep: nest(40, 1) };
    expect(render(nest(24, "{{ deep }}"), data)).toEqual(nest(64, 1));
    expect(reasonOf(nest(25, "{{ deep }}"), data)).toBe("size");
    const wrapped = (levels: number): string => `x{{ deep${".map(x, [x])".repeat(levels)} }}`;
    expect(render(wrapped(24), data)).toBe(`x${"[".repeat(64)}1${"]".repeat(64)}`);
    expect(reasonOf(wrapped(25), data)).toBe("size");
  });

  test("all expressions of one render share the steps", () => {
    const template = templateOf(["{{ 1 + 1 }}", { a: "x{{ 1 + 1 }}" }]);
    const budget = { steps: 6 };
    expect(renderTemplate(template, {}, budget)).toEqual([2, { a: "x2" }]);
    expect(budget.steps).toBe(0);
    expect(() => renderTemplate(template, {}, { steps: 5 })).toThrow("the steps are used up");
  });
});

test("a failing expression is told with its place in the value", () => {
  const template = templateOf({ a: ["{{ inputs.a }}"], b: "x{{ 1 / 0 }}" });
  const error = expect.objectContaining({
    reason: "missing",
    code: "EXPRESSION_FAILED",
    message:
      'there is no key "a" in a map, at character 8 of the expression inputs.a ' +
      'in the template at "/a/0"',
  });
  expect(() => renderTemplate(template, { inputs: {} }, { steps: 100 })).toThrow(error);
  expect(() => render({ b: "x{{ 1 / 0 }}" })).toThrow("division by zero");
});

test("a bug inside is thrown on", () => {
  const trap = {
    get a(): Json {
      throw new RangeError("ours");
    },
  };
  expect(() => render("{{ a }}", trap)).toThrow(RangeError);
});

test("references are told with the text they stand in and their offset in it", () => {
  const template = templateOf({
    a: "{{ inputs.a }}",
    b: ["x {{ nodes.n.output }} {{ has(item.c) }} y", 1],
  });
  expect(templateReferences(template)).toEqual([
    { root: "inputs", path: ["a"], guarded: false, offset: 3, pointer: "/a" },
    { root: "nodes", path: ["n", "output"], guarded: false, offset: 5, pointer: "/b/0" },
    { root: "item", path: ["c"], guarded: true, offset: 30, pointer: "/b/0" },
  ]);
});

test("a single expression is its source without the braces", () => {
  expect(parseSingle("{{ inputs.rows }}")).toMatchObject({
    ok: true,
    expression: { source: " inputs.rows " },
  });
});

test.each([
  ["inputs.rows", 0, "write {{ inputs.rows }}"],
  [" nodes.a.output ", 0, "write {{ nodes.a.output }}"],
  ["{{ a }} ", 0, "leave out what stands behind the }}, spaces included"],
  ["{{ a }}{{ b }}", 0, "leave out what stands behind the }}, spaces included"],
  [" {{ a }}", 0, "begin with {{ and end with }}"],
  ["{{ a", 0, "begin with {{ and end with }}"],
  ["{{ a = b }}", 5, "write == to compare; nothing can be assigned"],
])("the single expression %j is refused at %i", (text, offset, hint) => {
  expect(parseSingle(text)).toMatchObject({ ok: false, offset, hint });
});
