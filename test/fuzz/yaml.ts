// YAML files: shipped ones with stretches changed, made-up definitions, garbage, hostile shapes.
// Reading one never throws; a refusal names places inside the text; what is accepted is a
// definition all through, compiles, and means the same when it is read back from its canonical
// form.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { stringify } from "yaml";
import { canonical } from "../../src/core/canonical.ts";
import { definitionSchema } from "../../src/core/definition.ts";
import type { WorkflowDefinition } from "../../src/core/definition.ts";
import { compileWorkflow } from "../../src/core/graph.ts";
import { jsonProblem, utf8Bytes } from "../../src/core/json.ts";
import type { Json } from "../../src/core/json.ts";
import { MAX_SOURCE_BYTES } from "../../src/core/limits.ts";
import { parseDefinition } from "../../src/core/parse.ts";
import type { ParseResult } from "../../src/core/parse.ts";
import { MemoryClock } from "../../src/memory/memory-clock.ts";
import { HandlerRegistry } from "../../src/runtime/handlers.ts";
import { builtinHandlers } from "../../src/tasks/builtin.ts";
import type { Cost, Probe, Target } from "./target.ts";
import { promise, stateless } from "./target.ts";
import { filled, json, text } from "./texts.ts";

const FOLDER = path.join(import.meta.dirname, "../../workflows");
const { known: HANDLERS } = new HandlerRegistry(
  builtinHandlers({ http: { allow: [] }, clock: new MemoryClock() }),
);

const PIECES = [
  "{", "}", "[", "]", "{{", "}}", ": ", "- ", "? ", "\n", "\n\n", "  ", "\t", "#", "'", '"',
  "|\n", ">-\n",
  "&a ", "*a", "!!binary ", "!a ", "<<: *a\n", "%YAML 1.1\n---\n", "---\n", "...\n",
  "\u2028", "\u0000",
  "\ud800", "9007199254740993", "-0", ".nan", "1e999", "0x10", "~", "__proto__: ",
  "constructor: 1\n",
  "prototype: {}\n", "secrets: [A]\n", "next: ", "type: task\n", "retry: ", "on_error: continue\n",
];

type Mutation = readonly [at: number, cut: number, put: string];

const mutation: fc.Arbitrary<Mutation> = fc.tuple(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.oneof(fc.constant(0), fc.nat({ max: 30 })),
  fc.oneof(fc.constantFrom("", "1", "x", " ", "\n", " # a\n"), fc.constantFrom(...PIECES), text),
);

function mutated(source: string, mutations: readonly Mutation[]): string {
  return mutations.reduce((now, [at, cut, put]) => {
    const from = Math.floor(at * now.length);
    return now.slice(0, from) + put + now.slice(from + cut);
  }, source);
}

function shipped(): fc.Arbitrary<string> {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".yaml"));
  const corpus = files.map((file) => readFileSync(path.join(FOLDER, file), "utf8"));
  promise(corpus.length > 10, "the shipped workflows are there");
  const source = fc.constantFrom(...corpus);
  return fc.tuple(source, fc.array(mutation, { maxLength: 3 })).map(
    ([one, mutations]) => mutated(one, mutations),
  );
}

const id = fc.constantFrom("s", "a", "b", "c", "f", "g", "e", "é", "continue", "__proto__");
const ids = fc.oneof(id, fc.array(id, { maxLength: 3 }));
const template = fc.oneof(
  fc.constantFrom(
    "{{ inputs.x }}", "{{ nodes.a.output }}", "{{ item }}", "{{ default(nodes.b.output, 1) }}",
    "{{ vars.v.w }}", "x{{ 1 }}y", "{{", "{{ }}", "{{ secrets.A }}", "{{ value > 1 }}",
  ),
  text,
);
/** A field that is usually what the schema wants, and sometimes anything. */
const or = <T extends Json>(usual: fc.Arbitrary<T>): fc.Arbitrary<Json> =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: json });

const node: fc.Arbitrary<Json> = fc.record(
  {
    type: or(fc.constantFrom("start", "end", "task", "conditional", "fan_out", "fan_in", "wait")),
    next: or(ids as fc.Arbitrary<Json>),
    depends_on: or(
      fc.record({ all_of: ids, any_of: ids }, { requiredKeys: [] }) as fc.Arbitrary<Json>,
    ),
    handler: or(fc.constantFrom("echo", "sleep", "nobody")),
    params: or(fc.dictionary(fc.constantFrom("v", "w"), template) as fc.Arbitrary<Json>),
    condition_field: or(template),
    branches: or(
      fc.array(
        fc.record({ name: id, condition: template, next: ids }, { requiredKeys: ["name"] }),
        { maxLength: 3 },
      ) as fc.Arbitrary<Json>,
    ),
    source: or(template),
    task: or(fc.constant<Json>({ handler: "echo", params: {} })),
    aggregation: or(fc.constantFrom("collect", "sum", "first", "median")),
    select: or(fc.constantFrom("value", "value.a", "value +")),
    on_error: or(fc.constantFrom("continue", "a", "z")),
    timeout_seconds: or(fc.constantFrom(1, 0, 540, 541)),
    retry: or(fc.constant({ max_attempts: 2 })),
  },
  { requiredKeys: ["type"] },
) as fc.Arbitrary<Json>;

const definition = fc.record(
  {
    workflow_id: or(fc.constantFrom("w", "W", "a-b")),
    version: or(fc.constantFrom(1, 2, 0)),
    inputs: or(
      fc.constantFrom<Json>({ x: { type: "string" } }, { x: { type: "number", default: 1 } }),
    ),
    vars: or(fc.constant({ v: { w: 1 } })),
    nodes: or(fc.dictionary(id, node, { maxKeys: 6 }) as fc.Arbitrary<Json>),
    secrets: or(fc.constant(["A"])),
    [`extra`]: json,
  },
  { requiredKeys: ["workflow_id", "version", "nodes"] },
);

const madeUp = fc
  .tuple(definition, fc.constantFrom(1, 2, 8), fc.boolean())
  .map(([value, indent, isFlow]) =>
    isFlow ? JSON.stringify(value) : stringify(value, { indent, aliasDuplicateObjects: false }),
  );

const hostile = fc
  .tuple(
    fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 3 }),
    fc.nat({ max: 3000 }),
  )
  .map(([pieces, size]) => filled(pieces.join(""), size));

const garbage = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.array(fc.constantFrom(...PIECES, "a", "b", "1"), { maxLength: 60 }).map((all) => all.join("")),
);

export async function yamlTarget(): Promise<Target> {
  const cases = fc.oneof(
    { weight: 3, arbitrary: shipped() },
    { weight: 4, arbitrary: madeUp },
    { weight: 1, arbitrary: hostile },
    { weight: 3, arbitrary: garbage },
  );
  return stateless(cases, check, { bytes: MAX_SOURCE_BYTES, items: MAX_TOKENS });
}

/** Lines and brackets, more or less: what reading costs grows with them. */
const MAX_TOKENS = MAX_SOURCE_BYTES;

function check(source: string, { tell, timed }: Probe): Cost {
  const parsed = timed(() => parseDefinition(source, { file: "fuzz.yaml", handlers: HANDLERS }));
  tell(parsed.ok ? "accepted" : "refused");
  if (parsed.ok) checkAccepted(parsed.definition);
  else checkRefused(source, parsed);
  const items = source.split(/[\n[\]{},:-]/).length;
  return { bytes: utf8Bytes(source), items };
}

function checkAccepted(definition: WorkflowDefinition): void {
  const value = definition as unknown as Json;
  promise(jsonProblem(value) === undefined, "an accepted definition is JSON");
  const form = canonical(value);
  const again = definitionSchema.safeParse(JSON.parse(form));
  promise(again.success, "an accepted definition is one when it is read back");
  promise(canonical(again.data as unknown as Json) === form, "and means the same");
  compileWorkflow(definition, "sha256:0");
}

function checkRefused(source: string, { issues }: Extract<ParseResult, { ok: false }>): void {
  const lines = source.split(/\r\n|\n|\r/).length;
  promise(issues.length > 0 && issues.length <= 101, "a refusal has 1 to 101 issues");
  for (const { message, line, column, pointer } of issues) {
    promise(message !== "" && utf8Bytes(message) <= 1000, "a message is short");
    promise(line === undefined || (line >= 1 && line <= lines + 1), `line ${line} of ${lines}`);
    promise(column === undefined || column >= 1, "a column begins at 1");
    promise(pointer === undefined || pointer === "" || pointer.startsWith("/"), "a JSON pointer");
  }
}
