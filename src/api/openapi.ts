// The OpenAPI 3.1 document of the HTTP API, made from the table of operations and the schemas that
// the app parses with. Pure: the same sources give the same document.
import * as z from "zod";
import type { ErrorCode } from "../core/error.ts";
import { COMMON_ERRORS, EXAMPLE_PARAMS } from "./operation.ts";
import type { Answer, AnswerHeader, HeaderName, Operation } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";
import { problem } from "./shapes.ts";
import { STATUS } from "./status.ts";

type Schema = Readonly<Record<string, unknown>>;
type Part = Readonly<Record<string, unknown>>;

const BASE = "/api/v1";

const INTRODUCTION = [
  "Workflows written in YAML, every job pinned to the exact definition it was started with.",
  "Errors are `application/problem+json` (RFC 9457) with a stable `code`. Members that have no",
  "value are absent. Without a key the host answers 401 with an empty body, before the app is",
  "asked.",
].join(" ");

/** `version` is the app's own. */
export function openApiDocument(version: string): Part {
  const paths: Record<string, Record<string, Part>> = {};
  for (const operation of OPERATIONS) {
    const path = `${BASE}${operation.path}`;
    paths[path] = { ...paths[path], [operation.method]: described(operation) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Holdfast",
      version,
      description: INTRODUCTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "The host that serves this document." }],
    tags: ["Jobs", "Workflows", "App"].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem: jsonSchema(problem, "output") },
      headers: HEADERS,
      securitySchemes: {
        key: { type: "apiKey", in: "header", name: "x-functions-key" },
        code: { type: "apiKey", in: "query", name: "code" },
      },
    },
  };
}

function described(operation: Operation): Part {
  const { name, summary, group, auth, body } = operation;
  return {
    operationId: name,
    summary,
    tags: [group],
    security: auth === "anonymous" ? [{}] : [{ key: [] }, { code: [] }],
    parameters: [...pathParameters(operation), ...headers(operation), ...query(operation)],
    ...(body === undefined ? {} : { requestBody: requestBody(operation, body) }),
    responses: responses(operation),
  };
}

function pathParameters({ path }: Operation): readonly Part[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
    example: EXAMPLE_PARAMS[name],
  }));
}

const HEADER_TEXTS: Readonly<Record<HeaderName, string>> = {
  "Idempotency-Key": "1 to 256 characters. The same key and request give the same job.",
  "If-None-Match": "The `ETag` of an earlier answer: 304 while the job is in that state.",
};

function headers({ headers: names = [] }: Operation): readonly Part[] {
  return names.map((name) => ({
    name,
    in: "header",
    required: false,
    description: HEADER_TEXTS[name],
    schema: { type: "string" },
  }));
}

function query(operation: Operation): readonly Part[] {
  const { properties = {} } = jsonSchema(operation.query, "input") as {
    readonly properties?: Readonly<Record<string, Schema>>;
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: false,
    ...(description === undefined ? {} : { description }),
    schema: withoutPattern(schema),
  }));
}

/** A whole number is sent as a text and described as the number that it is. */
function withoutPattern({ pattern, ...schema }: Schema): Schema {
  return schema["type"] === "integer" || pattern === undefined ? schema : { ...schema, pattern };
}

function requestBody(operation: Operation, body: NonNullable<Operation["body"]>): Part {
  const { schema } = body;
  const shown = operation.examples.filter((one) => one.body !== undefined);
  const examples: Part = Object.fromEntries(
    shown.map(({ summary, body: value }, index) => [`example${index + 1}`, { summary, value }]),
  );
  return {
    required: body.required,
    content: {
      [body.type]: {
        schema: schema === undefined ? { type: "string" } : jsonSchema(schema, "input"),
        ...(shown.length === 0 ? {} : { examples }),
      },
    },
  };
}

function responses(operation: Operation): Part {
  const good = Object.entries(operation.answers).map(
    ([status, answer]): readonly [string, Part] => [status, response(answer)],
  );
  const taken = new Set(Object.keys(operation.answers));
  const refusals = problems(operation).filter(([status]) => !taken.has(status));
  return Object.fromEntries([...good, ...refusals]);
}

function response({ description, schema, type, headers: names = [] }: Answer): Part {
  const hasBody = schema !== undefined || type !== undefined;
  return {
    description,
    ...(names.length === 0 ? {} : { headers: references(names) }),
    ...(hasBody ? { content: { [type ?? "application/json"]: content(schema) } } : {}),
  };
}

function content(schema: z.ZodType | undefined): Part {
  return { schema: schema === undefined ? { type: "string" } : jsonSchema(schema, "output") };
}

/** One answer for each status, naming the codes that have it. */
function problems({ auth, errors }: Operation): readonly (readonly [string, Part])[] {
  const common = auth === "anonymous" ? (["INTERNAL"] as const) : COMMON_ERRORS;
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...errors, ...common]) {
    const status = STATUS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return [...byStatus]
    .sort(([a], [b]) => a - b)
    .map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\``).join(", "),
        ...(status === 429 || status === 503 ? { headers: references(["Retry-After"]) } : {}),
        content: {
          "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
        },
      },
    ]);
}

const HEADERS: Readonly<Record<AnswerHeader, Part>> = {
  ETag: { description: "Names the state of the job.", schema: { type: "string" } },
  Location: { description: "Where it is.", schema: { type: "string" } },
  "Retry-After": {
    description: "Seconds after which asking again makes sense.",
    schema: { type: "integer" },
  },
};

function references(names: readonly AnswerHeader[]): Part {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** JSON Schema 2020-12, which OpenAPI 3.1 takes as it is. */
function jsonSchema(schema: z.ZodType, io: "input" | "output"): Schema {
  const { $schema: _dialect, ...members } = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    reused: "inline",
  });
  return members;
}
