// The definitions of a chaos run: those that the project ships, one of long tasks that a kill is
// likely to hit, and one that is republished while its jobs run. And the data that some fetch.
import { readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { JsonObject } from "../../src/core/json.ts";
import { ROOT } from "../support/app-fixture.ts";
import type { WorkflowFiles } from "../support/app-fixture.ts";
import { startServer } from "../support/http-server.ts";

const SHIPPED = path.join(ROOT, "workflows");

export interface ShippedCase {
  readonly case: string;
  readonly input_params: JsonObject;
  readonly status: "completed" | "failed" | "refused";
  readonly result_data?: JsonObject;
  readonly error?: { readonly code: string };
}

/** File name to YAML, as shipped. */
export function shippedFiles(): WorkflowFiles {
  const names = readdirSync(SHIPPED).filter((name) => name.endsWith(".yaml"));
  const text = (name: string): string => readFileSync(path.join(SHIPPED, name), "utf8");
  return Object.fromEntries(names.map((name) => [name, text(name)]));
}

/** Stands for the address of the data in cases and their results. */
export const BASE_URL = "{{base_url}}";

/** The cases beside a shipped file; inputs name the data's address, results have it left open. */
export function casesOf(workflowId: string, baseUrl: string): readonly ShippedCase[] {
  const text = readFileSync(path.join(SHIPPED, `${workflowId}.expected.json`), "utf8");
  const cases = JSON.parse(text) as readonly ShippedCase[];
  return cases.map((one) => {
    const inputs = JSON.stringify(one.input_params).replaceAll(BASE_URL, baseUrl);
    return { ...one, input_params: JSON.parse(inputs) as JsonObject };
  });
}

export const NAPS = `
workflow_id: naps
version: 1
inputs:
  first: { type: number, required: true }
  second: { type: number, required: true }
  items: { type: array, required: true }
nodes:
  start: { type: start, next: [nap, each] }
  nap: { type: task, handler: sleep, params: { seconds: "{{ inputs.first }}" }, next: second_nap }
  second_nap:
    type: task
    handler: sleep
    params: { seconds: "{{ inputs.second }}" }
    next: end
  each:
    type: fan_out
    source: "{{ inputs.items }}"
    task: { handler: sleep, params: { seconds: "{{ item }}" } }
    next: all
  all: { type: fan_in, aggregation: collect, select: value.slept_seconds, next: end }
  end: { type: end }
`;

/** Version n says so in every result; an odd one has a node more. */
export function ledgerSource(version: number): string {
  const more =
    version % 2 === 1
      ? `  odd: { type: task, handler: echo, depends_on: { all_of: [second] }, next: end }\n`
      : "";
  return `
workflow_id: ledger
version: ${version}
inputs: { word: { type: string, required: true } }
vars: { stamp: version ${version} }
nodes:
  start: { type: start, next: first }
  first:
    type: task
    handler: echo
    params: { message: "{{ vars.stamp }}: {{ inputs.word }}" }
    next: second
  second: { type: task, handler: sleep, params: { seconds: 0.2 }, next: third }
  third:
    type: task
    handler: echo
    params: { message: "{{ nodes.first.output.message }} again ${version}" }
    next: end
${more}  end: { type: end }
`;
}

/** Puts a definition into the folder of workflows, whole, as a deployment does. */
export function putFile(folder: string, file: string, source: string): void {
  const draft = path.join(folder, `${file}.draft`);
  writeFileSync(draft, source);
  // Until now its name does not end in .yaml, and the catalog passes it by.
  renameSync(draft, path.join(folder, file));
}

/** Doubles numbers, in their order, and adds them up. */
export const WIDE = `
workflow_id: wide
version: 1
inputs: { numbers: { type: array, required: true, max: 10000 } }
nodes:
  start: { type: start, next: each }
  each:
    type: fan_out
    source: "{{ inputs.numbers }}"
    task: { handler: echo, params: { message: "{{ item * 2 }}" } }
    next: [doubled, total]
  doubled: { type: fan_in, aggregation: collect, select: value.message, next: end }
  total: { type: fan_in, aggregation: sum, select: value.message, next: end }
  end: { type: end }
`;

export interface DataServer {
  readonly baseUrl: string;
  close(): Promise<void>;
}

/** Serves `workflows/data`, as the demo does; other paths answer 404. */
export async function startDataServer(): Promise<DataServer> {
  const server = await startServer();
  const folder = path.join(SHIPPED, "data");
  const files = new Map(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.includes("."))
      .map((name) => [`/${name.split(path.sep).join("/")}`, readFileSync(path.join(folder, name))]),
  );
  server.answer((response, { url }) => {
    response.sendDate = false;
    const body = files.get(url);
    const type = url.endsWith(".csv") ? "text/csv; charset=utf-8" : "application/json";
    if (body === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "content-type": type }).end(body);
  });
  return { baseUrl: `http://127.0.0.1:${server.port}`, close: () => server.close() };
}
