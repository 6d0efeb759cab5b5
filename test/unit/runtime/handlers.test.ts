// Defining and registering handlers: what is refused when the program starts.
import { expect, test } from "vitest";
import { z } from "zod";
import { describeHandlers } from "../../../src/runtime/describe-handlers.ts";
import { HandlerRegistry, TerminalError, defineHandler } from "../../../src/runtime/handlers.ts";
import type { Handler, HandlerContext } from "../../../src/runtime/handlers.ts";
import type { Json } from "../../../src/core/json.ts";

function define(change: { name?: string; version?: string } = {}): Handler {
  return defineHandler({
    name: change.name ?? "resize",
    version: change.version ?? "2",
    description: "Resizes.",
    params: z.strictObject({ width: z.int().default(10), when: z.date().optional() }),
    output: z.strictObject({ width: z.string().transform((text) => text.length) }),
    run: ({ params }) => ({ width: params.width as never }),
  });
}

function context(params: Json): HandlerContext<Json> {
  return {
    params,
    attempt: 1,
    idempotencyKey: "k",
    signal: new AbortController().signal,
    log: () => {},
    job: { job_id: "j", workflow_id: "w", workflow_version: 1, node_id: "n" },
  };
}

function knownOf(params: z.ZodType) {
  const handler = defineHandler({
    name: "resize",
    version: "1",
    description: "Resizes.",
    params,
    output: z.null(),
    run: () => null,
  });
  return new HandlerRegistry([handler]).known.get("resize");
}

test.each(["", "Resize", "1st", "with-dash", "a".repeat(65), "__proto__"])(
  "the name %j is refused",
  (name) => expect(() => define({ name })).toThrow(/expected a name/),
);

test("an empty version is refused", () => {
  expect(() => define({ version: "" })).toThrow(/expected a version/);
});

test("a name cannot be registered twice", () => {
  expect(() => new HandlerRegistry([define(), define({ version: "3" })])).toThrow(/twice/);
});

test("the registry answers by name, lists by name and tells versions", () => {
  const registry = new HandlerRegistry([define({ name: "b" }), define({ name: "a" })]);
  expect(registry.list().map((handler) => handler.name)).toEqual(["a", "b"]);
  expect(registry.get("constructor")).toBeUndefined();
  expect(registry.get("a")?.version).toBe("2");
  expect([...registry.versions]).toEqual([["b", "2"], ["a", "2"]]);
});

test("an output that breaks its schema is terminal and names the place", async () => {
  const thrown: unknown = await define().run(context({})).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(TerminalError);
  expect(thrown).toMatchObject({ code: "OUTPUT_INVALID" });
  expect(String(thrown)).toContain("output: /width: ");
});

test("a thousand mistakes are listed up to a bound and counted", async () => {
  const handler = defineHandler({
    name: "many",
    version: "1",
    params: z.array(z.string()),
    output: z.unknown(),
    run: () => 1,
  });
  const params = Array.from({ length: 1000 }, (_, index) => index);
  const thrown: unknown = await handler.run(context(params)).catch((error: unknown) => error);
  expect(String(thrown)).toMatch(/and 980 more$/);
});

test("a description says what an author writes, defaults and conversions included", () => {
  const [row] = describeHandlers(new HandlerRegistry([define()]));
  expect(row).toMatchObject({ name: "resize", version: "2", description: "Resizes." });
  expect(row?.params_schema).toMatchObject({
    type: "object",
    additionalProperties: false,
    properties: { width: { type: "integer", default: 10 }, when: {} },
  });
  expect(row?.params_schema).not.toHaveProperty("required");
  expect(JSON.parse(JSON.stringify(row))).toEqual(row);
});

const maybe = z.int().optional();

test.each([
  ["needs and may have", z.strictObject({ a: z.string(), b: z.string().default("x") }), ["a"]],
  ["anything, once it is there", z.strictObject({ a: z.unknown(), b: maybe }), ["a"]],
  ["exact optional", z.strictObject({ a: maybe, b: z.exactOptional(z.int()) }), []],
  ["refined", z.strictObject({ a: z.int(), b: maybe }).refine(() => false), ["a"]],
  ["nested", z.strictObject({ a: z.strictObject({ c: z.int() }), b: maybe }), ["a"]],
  ["by a function", z.strictObject({ a: z.custom((a) => a !== undefined), b: maybe }), ["a"]],
  ["all or none", z.strictObject({ a: maybe, b: maybe }).refine(() => false, { path: ["a"] }), []],
  ["one of two", z.strictObject({ a: z.union([z.int(), z.string()]), b: maybe }), ["a"]],
])("of a closed schema all names are known: %s", (_what, params, required) => {
  expect(knownOf(params)).toEqual({ known: ["a", "b"], required });
});

test.each([
  ["takes others as well", z.looseObject({ a: z.int() }), { required: ["a"] }],
  ["drops others", z.object({ a: z.int() }), { required: ["a"] }],
  ["has a schema for others", z.object({ a: z.int() }).catchall(z.int()), { required: ["a"] }],
  ["is no object", z.record(z.string(), z.int()), undefined],
  ["is one of two objects", z.union([z.strictObject({ a: maybe }), z.null()]), undefined],
  ["waits", z.strictObject({}).refine(() => Promise.resolve(true)), { known: [], required: [] }],
  ["is closed and empty", z.strictObject({}), { known: [], required: [] }],
])("a schema that %s says what it can", (_what, params, names) => {
  expect(knownOf(params)).toEqual(names);
});
