// A canary on the real stack: the bundle, the host, both emulators, each behind a recorder. Tasks
// send it to a server, fail with it and give it back in every way; then everything that was stored,
// queued, logged, answered or crossed a wire to a store is searched for it.
import { once } from "node:events";
import http from "node:http";
import type { IncomingMessage } from "node:http";
import { CosmosClient } from "@azure/cosmos";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROUTES } from "../../src/functions/routes.ts";
import { LOCAL_KEYS } from "../../src/local/host.ts";
import { pathOfRoute } from "../support/app-client.ts";
import { appFixture } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";
import { startServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";

/** Visible ASCII, for a header must take it, with what JSON, URLs and base64 write differently. */
const CANARY = 'Canary/9b1d+7f"3a&e=c0 ~%5f?84';
/** The same as an error code may look. */
const CODE_CANARY = "CANARY_CODE_77E1";
const SECRETS = { HOLDFAST_SECRET_TOKEN: CANARY, HOLDFAST_SECRET_CODE: CODE_CANARY };

const LEAKS = `
workflow_id: leaks
version: 1
secrets: [TOKEN, CODE]
inputs: { items: { type: array, default: [1, 2, 3, 4, 5] } }
nodes:
  start: { type: start, next: [alone, fails, coded, refused, sends, denied, moved, each] }
  alone:
    type: task
    handler: echo
    params:
      message: "{{ secrets.TOKEN }}"
      in_text: "Bearer {{ secrets.TOKEN }}."
      deep: [[{ t: "{{secrets.TOKEN}}" }]]
    next: reads
  reads: { type: task, handler: echo, params: { message: "{{ nodes.alone.output }}" }, next: end }
  fails:
    type: task
    handler: fail
    params: { message: "no {{ secrets.TOKEN }}", retryable: true }
    retry: { max_attempts: 2, initial_delay_seconds: 0, jitter: 0 }
    on_error: continue
    next: end
  coded:
    type: task
    handler: fail
    params: { code: "{{ secrets.CODE }}", message: "code" }
    on_error: continue
    next: end
  refused: # What the schema says of params that do not fit.
    type: task
    handler: check
    params:
      value: "{{ secrets.TOKEN }}"
      rules:
        - name: token
          expression: value == 1
          message: "was {{ secrets.TOKEN }}"
        - { name: "{{ secrets.TOKEN }}", expression: "{{ secrets.TOKEN }}" }
    on_error: continue
    next: end
  sends:
    type: task
    handler: http_request
    params:
      url: "BASE_URL/echo/{{ secrets.CODE }}"
      method: POST
      headers: { authorization: "Bearer {{ secrets.TOKEN }}" }
      query: { key: "{{ secrets.TOKEN }}" }
      body: { token: "{{ secrets.TOKEN }}" }
    next: end
  denied:
    type: task
    handler: http_request
    params: { url: "BASE_URL/denied", headers: { authorization: "{{ secrets.TOKEN }}" } }
    on_error: continue
    next: end
  moved:
    type: task
    handler: http_request
    params: { url: "BASE_URL/moved", headers: { authorization: "{{ secrets.TOKEN }}" } }
    on_error: continue
    next: end
  each:
    type: fan_out
    source: "{{ inputs.items }}"
    task: { handler: echo, params: { message: "{{ item }} {{ secrets.TOKEN }}" } }
    next: all
  all: { type: fan_in, next: end }
  end: { type: end }
`;
const LACKING = `
workflow_id: lacking
version: 1
secrets: [TOKEN, NOT_SET]
nodes:
  start: { type: start, next: a }
  a:
    type: task
    handler: echo
    params: { message: "{{secrets.TOKEN}}{{secrets.NOT_SET}}" }
    next: end
  end: { type: end }
`;
const PLANTED = `
workflow_id: planted
version: 1
inputs: { text: { type: string, required: true } }
nodes:
  start: { type: start, next: a }
  a: { type: task, handler: echo, params: { message: "{{ inputs.text }}" }, next: end }
  end: { type: end }
`;

/** Everything that one of these spellings stands in is a leak; written without the masking code. */
const SPELLINGS = [CANARY, CODE_CANARY].flatMap((value) => [
  value,
  encodeURIComponent(value),
  new URLSearchParams({ v: value }).toString().slice(2),
  JSON.stringify(value).slice(1, -1),
  JSON.stringify(JSON.stringify(value)).slice(3, -3),
  value.replaceAll("&", "&amp;").replaceAll('"', "&quot;"),
  ...["", "a", "ab"].map((before) => {
    const text = Buffer.from(`${before}${value}`).toString("base64");
    // The first and last characters share bits with what stands around.
    return text.slice(before === "" ? 0 : 4, -4);
  }),
]);

function hits(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) =>
    SPELLINGS.filter((one) => text.includes(one)).map((one) => {
      const at = text.indexOf(one);
      return `${one} in …${text.slice(Math.max(0, at - 80), at + 80)}`;
    }),
  );
}

interface Recorder {
  readonly url: string;
  /** Heads and bodies of all requests and answers. */
  readonly crossed: string[];
  stop(): Promise<void>;
}

async function startRecorder(target: string): Promise<Recorder> {
  const crossed: string[] = [];
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer((request, response) => {
    void (async () => {
      const body = await read(request);
      const { method = "GET", url = "/", headers } = request;
      crossed.push(`${method} ${url} ${JSON.stringify(headers)} ${body.toString("utf8")}`);
      const sent = http.request(new URL(url, target), { method, headers, agent });
      sent.end(body);
      const [answer] = (await once(sent, "response")) as [IncomingMessage];
      const content = await read(answer);
      crossed.push(`${JSON.stringify(answer.headers)} ${content.toString("utf8")}`);
      const { "transfer-encoding": _, "content-length": __, ...kept } = answer.headers;
      response.writeHead(answer.statusCode ?? 0, kept).end(content);
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    crossed,
    async stop() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

let fixture: AppFixture;
let app: StartedApp;
let service: TestServer;
let elsewhere: TestServer;
let cosmos: Recorder;
let queues: Recorder;

beforeAll(async () => {
  fixture = await appFixture();
  [service, elsewhere] = await Promise.all([startServer(), startServer()]);
  const base = `http://127.0.0.1:${service.port}`;
  service.answer((response, { url, headers, body }) => {
    const authorization = headers.authorization ?? "";
    if (url.startsWith("/moved")) {
      const location = `http://127.0.0.1:${elsewhere.port}/new?${encodeURIComponent(CANARY)}`;
      response.writeHead(302, { location }).end();
      return;
    }
    const back = {
      "content-type": "application/json",
      etag: JSON.stringify(authorization),
      location: encodeURIComponent(authorization),
      "x-request-id": Buffer.from(authorization).toString("base64"),
    };
    const status = url.startsWith("/denied") ? 403 : 200;
    response.writeHead(status, `no ${CANARY}`, back);
    const encoded = Buffer.from(`user:${CANARY}`).toString("base64");
    const seen = [url, body, encoded, JSON.stringify(headers)];
    response.end(JSON.stringify({ [authorization]: seen }));
  });
  elsewhere.answer((response, { headers }) => response.end(JSON.stringify(headers)));
  cosmos = await startRecorder(fixture.stores.COSMOS_ENDPOINT);
  const [, queueUrl = ""] = /QueueEndpoint=(http:\/\/[^/;]+)/.exec(storage()) ?? [];
  queues = await startRecorder(queueUrl);
  app = await fixture.start({
    workflows: {
      "leaks.yaml": LEAKS.replaceAll("BASE_URL", base),
      "lacking.yaml": LACKING,
      "planted.yaml": PLANTED,
    },
    env: {
      ...SECRETS,
      COSMOS_ENDPOINT: cosmos.url,
      AzureWebJobsStorage: storage().replace(queueUrl, queues.url),
      HOLDFAST_HTTP_ALLOW: "127.0.0.1",
      HOLDFAST_ALLOW_REBUILD: "0",
    },
  });
}, 120_000);

afterAll(async () => {
  await fixture.stop();
  await Promise.all([service.close(), elsewhere.close(), cosmos.stop(), queues.stop()]);
});

function storage(): string {
  return fixture.stores.AzureWebJobsStorage;
}

/** Every document of every container, as text and text by text. */
async function documents(): Promise<readonly string[]> {
  const client = new CosmosClient({
    endpoint: fixture.stores.COSMOS_ENDPOINT,
    key: fixture.stores.COSMOS_KEY,
    connectionPolicy: { enableEndpointDiscovery: false },
  });
  const database = client.database(app.database);
  const { resources } = await database.containers.readAll().fetchAll();
  expect(resources.map(({ id }) => id).sort()).toEqual(["definitions", "jobs", "journal", "stats"]);
  const found: unknown[] = [];
  for (const { id } of resources) {
    const { resources: items } = await database.container(id).items.readAll().fetchAll();
    // The timer writes the numbers when it comes to it.
    if (id !== "stats") expect(items.length, id).toBeGreaterThan(0);
    found.push(...items);
  }
  return found.map((one) => JSON.stringify(one));
}

/** What each route answers about the jobs, its status, headers and body. */
async function answers(jobIds: readonly string[]): Promise<readonly string[]> {
  const ids = jobIds.flatMap((job) =>
    ["alone", "fails", "coded", "refused", "sends", "denied", "moved", "each", "all", "a"].map(
      (node) => ({ "{job_id}": job, "{node_id}": node, "{workflow_id}": "leaks", "{*path}": "no" }),
    ),
  );
  const calls = ROUTES.flatMap(({ route, methods }) =>
    ids.map((names) => {
      const named = Object.entries(names);
      const path = named.reduce((text, [name, id]) => text.replace(name, id), route);
      return `${methods[0] ?? "GET"} ${pathOfRoute(path, "")}`;
    }),
  );
  const bodies = new Map<string, object | string>([
    ["POST /jobs", { workflow_id: "lacking" }],
    ["POST /workflows/validate", LEAKS.replaceAll("BASE_URL", "http://a.example")],
  ]);
  const texts: string[] = [];
  for (const call of new Set(calls)) {
    const [method = "", path = ""] = call.split(" ");
    const body = bodies.get(call) ?? (method === "POST" ? {} : undefined);
    const key = { key: LOCAL_KEYS.master };
    const answer = await app.call(method, path, body === undefined ? key : { ...key, body });
    texts.push(`${call} ${answer.status} ${JSON.stringify([...answer.headers])} ${answer.text}`);
  }
  return texts;
}

function logs(): readonly string[] {
  return [...app.lines, ...app.hostLog].map((line) => JSON.stringify(line));
}

describe("a canary among the secrets", () => {
  let jobId = "";

  test("arrives where it is sent, and the job has what its handlers gave, masked", async () => {
    const job = await app.run("leaks");
    jobId = job.job_id;
    expect(job.status).toBe("completed");
    const sent = service.seen.find(({ url }) => url.startsWith("/echo/"));
    expect(sent?.headers.authorization).toBe(`Bearer ${CANARY}`);
    expect(sent?.body).toBe(JSON.stringify({ token: CANARY }));
    expect(new URLSearchParams(sent?.url.split("?")[1]).get("key")).toBe(CANARY);
    expect(sent?.headers["idempotency-key"]).toBe(`${jobId}/sends`);
    const result = job.result_data as Readonly<Record<string, Record<string, unknown>>>;
    expect(result["alone"]).toMatchObject({ message: "***", in_text: "Bearer ***." });
    expect(result["sends"]).toMatchObject({
      headers: { etag: '"Bearer ***"', location: "Bearer%20***" },
      body: { "Bearer ***": expect.arrayContaining(['{"token":"***"}']) },
    });
    const results = [1, 2, 3, 4, 5].map((item) => ({ message: `${item} ***` }));
    expect(result["all"]).toMatchObject({ count: 5, results });
    const errors = Object.fromEntries(job.nodes.map(({ node_id, error }) => [node_id, error]));
    expect(errors["fails"]).toEqual({ code: "HANDLER_FAILED", message: "no ***" });
    expect(errors["coded"]).toEqual({ code: "HANDLER_FAILED", message: "code" });
    expect(errors["refused"]).toMatchObject({ code: "PARAMS_INVALID" });
    expect(errors["denied"]?.code).toBe("HTTP_STATUS");
  });

  test("is not carried to another origin by a redirect", () => {
    expect(elsewhere.seen).toHaveLength(1);
    for (const { headers, body } of elsewhere.seen) {
      expect(hits([JSON.stringify(headers), body])).toEqual([]);
    }
  });

  test("of an app that lacks one is told by name, before anything is written", async () => {
    const answer = await app.post("/jobs", { workflow_id: "lacking" });
    expect([answer.status, answer.body.code]).toEqual([503, "SECRET_MISSING"]);
    expect(answer.body.detail).toContain("HOLDFAST_SECRET_NOT_SET");
    const { body } = await app.get("/workflows/lacking");
    expect(body["versions"]).toMatchObject([{ missing_secrets: ["NOT_SET"] }]);
    const known = (await app.get("/workflows/leaks")).body["versions"];
    expect(known).not.toMatchObject([{ missing_secrets: expect.anything() }]);
  });

  test("stands in no document, message, answer, line, nor what crossed to a store", async () => {
    const places = {
      documents: await documents(),
      answers: await answers([jobId]),
      cosmos: cosmos.crossed,
      queues: queues.crossed,
      logs: logs(),
    };
    for (const [place, texts] of Object.entries(places)) {
      expect(texts.length, place).toBeGreaterThan(10);
      expect(hits(texts), place).toEqual([]);
    }
    expect(places.queues.some((text) => text.includes("<MessageText>"))).toBe(true);
    expect(places.documents.some((text) => text.includes("***"))).toBe(true);
  });

  test("would be found: as an input, which is no secret, it is in all these places", async () => {
    const job = await app.run("planted", { input_params: { text: CANARY } });
    await app.post("/jobs", { workflow_id: CANARY });
    expect(hits(await documents()).length).toBeGreaterThan(2);
    expect(hits(await answers([job.job_id])).length).toBeGreaterThan(2);
    expect(hits(cosmos.crossed).length).toBeGreaterThan(2);
    const message = Buffer.from(`{"job_id":"${CANARY}"}`).toString("base64");
    expect(hits([`<MessageText>${message}</MessageText>`])).toHaveLength(1);
    expect(hits([JSON.stringify({ event: "x", error: CANARY })])).not.toEqual([]);
  });

  test("keeps its job from builds that do not know secrets, and no other job", async () => {
    const schemas = (text: string): string => {
      const { job_id, schema } = JSON.parse(text) as { job_id?: string; schema: number };
      return `${job_id === jobId ? "secret" : "other"} ${schema}`;
    };
    expect([...new Set((await documents()).map(schemas))].sort()).toEqual(["other 1", "secret 2"]);
  });
});
