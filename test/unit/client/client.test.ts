// The client against the table of operations: a method for each that a client has a use for, each
// with the path, the query, the headers and the body that its operation takes.
import { describe, expect, test } from "vitest";
import { OPERATIONS } from "../../../src/api/operations.ts";
import { ApiError, Client } from "../../../src/client/client.ts";
import { operationAt } from "../../support/documented.ts";

interface Sent {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: unknown;
}

function recording(answer: () => Response = () => Response.json({})) {
  const sent: Sent[] = [];
  const client = new Client({
    endpoint: "https://flows.example",
    key: "a-key",
    fetch: async (input, init = {}) => {
      const { method = "GET", headers, body } = init;
      const url = new URL(input instanceof Request ? input.url : input);
      sent.push({ url, method, headers: new Headers(headers ?? {}), body });
      return answer();
    },
  });
  return { client, sent };
}

const ID = "dd7f0f28-56bf-8c42-b173-b1e6f27209d0";
const ONE = { workflow_id: "echo_test" };

const CALLS: Readonly<Record<string, (client: Client) => Promise<unknown>>> = {
  jobs_submit: (client) => client.submit(ONE),
  jobs_batch: (client) => client.submitBatch([ONE]),
  jobs_validate: (client) => client.validateJob(ONE),
  jobs_list: (client) =>
    client.jobs({
      status: "running",
      workflow_id: "a",
      workflow_version: 1,
      workflow_digest: `sha256:${"0".repeat(64)}`,
      correlation_id: "c",
      idempotency_key: "k",
      tag: "t",
      submitted_by: "s",
      created_from: "2026-11-22T10:00:00.000Z",
      created_before: "2026-11-22T11:00:00.000Z",
      sort: "created_at",
      limit: 3,
      continuation: "abc",
    }),
  jobs_get: (client) => client.job(ID, { etag: 'W/"1"', wait: 20 }),
  jobs_events: (client) => client.events(ID, { after: 1, limit: 2, wait: 3 }),
  jobs_node: (client) => client.node(ID, "a"),
  jobs_timeline: (client) => client.timeline(ID),
  jobs_snapshot: (client) => client.snapshot(ID),
  jobs_result: (client) => client.result(ID),
  jobs_provenance: (client) => client.provenance(ID),
  jobs_cancel: (client) => client.cancel(ID, "enough"),
  workflows_list: (client) => client.workflows(),
  workflows_get: (client) => client.workflow("a"),
  workflows_validate: (client) => client.validateWorkflow("workflow_id: a\n"),
  handlers_list: (client) => client.handlers(),
  stats_get: (client) => client.stats(),
  health_ready: (client) => client.ready(),
};

/** For machines that ask whether the process lives, for readers, and for an operator's hands. */
const NOT_FOR_CLIENTS = ["health_live", "api_document", "api_page", "bootstrap_rebuild"];

test("every operation has a method, but those that no client has a use for", () => {
  const names = OPERATIONS.map(({ name }) => name).filter((one) => !NOT_FOR_CLIENTS.includes(one));
  expect(Object.keys(CALLS).toSorted()).toEqual(names.toSorted());
});

describe("a method sends what its operation takes", () => {
  test.each(Object.entries(CALLS))("%s", async (name, call) => {
    const { client, sent } = recording();
    await call(client);
    const [one] = sent;
    const operation = operationAt(one?.method ?? "", one?.url.pathname.slice(7) ?? "");
    expect(operation?.name).toBe(name);
    expect(one?.headers.get("x-functions-key")).toBe("a-key");
    const query = Object.fromEntries(one?.url.searchParams ?? []);
    expect(operation?.query.safeParse(query).success, JSON.stringify(query)).toBe(true);
    const body = operation?.body;
    expect(one?.headers.get("content-type") ?? undefined).toBe(body?.type);
    if (body?.schema !== undefined) {
      expect(body.schema.safeParse(JSON.parse(String(one?.body))).success).toBe(true);
    }
  });

  test("a list can be filtered by everything that its operation takes", async () => {
    const { client, sent } = recording();
    await CALLS["jobs_list"]?.(client);
    const operation = OPERATIONS.find(({ name }) => name === "jobs_list");
    const given = [...(sent[0]?.url.searchParams.keys() ?? [])];
    expect(given.toSorted()).toEqual(Object.keys(operation?.query.shape ?? {}).toSorted());
  });
});

describe("an answer", () => {
  test("of 304 is no body, and the tag that is known", async () => {
    const { client, sent } = recording(() => new Response(null, { status: 304 }));
    expect(await client.job(ID, { etag: 'W/"7"' })).toEqual({ body: undefined, etag: 'W/"7"' });
    expect(sent[0]?.headers.get("if-none-match")).toBe('W/"7"');
  });

  test("that refuses is thrown with its problem, or without where the host refused", async () => {
    const problem = { status: 404, code: "JOB_NOT_FOUND", detail: "job: not found" };
    const headers = { "content-type": "application/problem+json; charset=utf-8" };
    const told = recording(() => new Response(JSON.stringify(problem), { status: 404, headers }));
    await expect(told.client.job(ID)).rejects.toMatchObject({
      name: "ApiError",
      status: 404,
      message: "job: not found",
      problem: { code: "JOB_NOT_FOUND" },
    });
    const bare = recording(() => new Response("", { status: 401 }));
    const error = await bare.client.jobs().catch((one: unknown) => one);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 401, problem: undefined });
  });

  test("of 503 about readiness is an answer", async () => {
    const { client } = recording(() => Response.json({ status: "not ready" }, { status: 503 }));
    expect(await client.ready()).toEqual({ status: "not ready" });
  });
});
