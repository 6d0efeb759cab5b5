// The document of the HTTP API: valid, equal to the routes in both directions, and true: every
// example in it is answered as it says, by the real handlers with the shipped workflows.
import { Validator } from "@seriousme/openapi-schema-validator";
import { beforeAll, describe, expect, test } from "vitest";
import { openApiDocument } from "../../../src/api/openapi.ts";
import { EXAMPLE_PARAMS } from "../../../src/api/operation.ts";
import type { Example, Operation } from "../../../src/api/operation.ts";
import { OPERATIONS } from "../../../src/api/operations.ts";
import { documentPage } from "../../../src/api/page.ts";
import { ROUTES } from "../../../src/functions/routes.ts";
import { HttpApp } from "../../support/http-app.ts";

const document = openApiDocument("1.2.3") as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { operationId: string }>>>>;
};

test("the document is OpenAPI 3.1", async () => {
  expect(await new Validator().validate(document as never)).toEqual({ valid: true });
});

test("every route is an operation and every operation a route", () => {
  const routes = ROUTES.filter(({ name }) => name !== "zz_not_found" && !name.startsWith("ui"));
  const registered = routes
    .filter(({ name }) => name !== "api_style")
    .flatMap(({ name, methods, route, authLevel }) =>
      methods.map((method) => [name, method.toLowerCase(), route, authLevel].join(" ")),
    );
  const described = OPERATIONS.map(({ name, method, path, auth }) =>
    [name, method, `v1${path}`, auth].join(" "),
  );
  expect(described.toSorted()).toEqual(registered.toSorted());
  const ids = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map(({ operationId }) => operationId),
  );
  expect(ids.toSorted()).toEqual(OPERATIONS.map(({ name }) => name).toSorted());
});

test("every path parameter has an example, and every operation too", () => {
  for (const { name, path, examples } of OPERATIONS) {
    for (const [, parameter = ""] of path.matchAll(/\{(\w+)\}/g)) {
      expect(EXAMPLE_PARAMS, name).toHaveProperty(parameter);
    }
    expect(examples.length, name).toBeGreaterThan(0);
  }
});

test("the page shows every operation, and nothing in it can run", () => {
  const page = documentPage(document);
  for (const { name, path } of OPERATIONS) {
    expect(page).toContain(`id="${name}"`);
    expect(page).toContain(path);
  }
  expect(page).not.toMatch(/<script|<style|\sstyle=|\son\w+=/);
  expect(page.match(/(?:href|src)="(?!#)[^"]*"/g)).toEqual([
    'href="docs.css"',
    'href="openapi.json"',
  ]);
});

describe("every example is answered as it says", () => {
  const http = new HttpApp({ shipped: true });
  const NAMED = OPERATIONS.flatMap((operation) =>
    operation.examples.map((one) => [`${operation.name}: ${one.summary}`, operation, one] as const),
  );

  async function send({ name }: Operation, example: Example) {
    const { params, query, headers, body } = example;
    return http.call(name, {
      params: { ...EXAMPLE_PARAMS, ...params },
      ...(query === undefined ? {} : { query }),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
    });
  }

  beforeAll(async () => {
    await send(OPERATIONS[0]!, OPERATIONS[0]!.examples[0]!);
    await http.runtime.runToEnd(EXAMPLE_PARAMS["job_id"] ?? "");
  });

  test.each(NAMED)("%s", async (title, operation, example) => {
    const answer = await send(operation, example);
    // The first example has been sent already: a repeated request is answered with 200.
    const status = title === "jobs_submit: A new job" ? 200 : example.status;
    expect(answer.status, answer.text).toBe(status);
  });

  test("what stands in the query of an operation is what its route takes", async () => {
    for (const operation of OPERATIONS) {
      const names = Object.keys(operation.query.shape);
      const { body } = await http.call(operation.name, {
        params: EXAMPLE_PARAMS,
        query: { nope: "1" },
        ...(operation.method === "post" ? { body: {} } : {}),
      });
      const takes = names.length === 0 ? "this route takes none" : `expected ${names.join(", ")}`;
      const told = operation.name === "bootstrap_rebuild" ? "" : takes;
      expect(JSON.stringify(body), operation.name).toContain(told);
    }
  });
});
