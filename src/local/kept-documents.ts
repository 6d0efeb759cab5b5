// Keeps what the Cosmos emulator holds, which lives in memory alone: every change that it accepts
// is written to a file before it is answered, and done again at the next start. The file is a line
// of JSON for each change; at a start it is written anew with only what still stands. A line that a
// killed process left half written was never answered, and is left out.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import path from "node:path";
import { Readable } from "node:stream";

/** One change of the emulator's content, as it was asked for. */
interface Change {
  readonly method: string;
  /** Below the emulator's address. */
  readonly url: string;
  /** The partition key of a document, as its header has it. */
  readonly partition?: string;
  readonly body: string;
}

const PARTITION_HEADER = "x-ms-documentdb-partitionkey";
const DOCUMENTS = /^(\/dbs\/[^/]+\/colls\/[^/]+)\/docs(?:\/([^/?]+))?/;
/**
 * The numbers over all jobs follow from when the store wrote what ended, and after a start that is
 * the start. So they are folded anew instead of being kept.
 */
const NOT_KEPT = /\/colls\/stats\/docs/;

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** Does again what `folder` holds, and keeps what follows. `server` listens at `url`. */
export async function keepDocuments(server: Server, url: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, "documents.jsonl");
  const changes = standing(existsSync(file) ? readFileSync(file, "utf8") : "");
  for (const change of changes) await redo(url, change);
  const draft = `${file}.new`;
  writeFileSync(draft, changes.map((change) => `${JSON.stringify(change)}\n`).join(""));
  renameSync(draft, file);
  const handles = server.listeners("request") as unknown as readonly Handle[];
  server.removeAllListeners("request");
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    void record({ request, response, file }, (copy) => {
      for (const handle of handles) handle(copy, response);
    });
  });
}

/** The changes that make what the lines of a file come to, in an order that can be done again. */
export function standing(text: string): readonly Change[] {
  const places = new Map<string, Change>();
  const documents = new Map<string, Change>();
  for (const line of text.split("\n")) {
    const change = parsed(line);
    if (change === undefined) continue;
    const [, collection, id] = DOCUMENTS.exec(change.url) ?? [];
    if (collection !== undefined) {
      const key = `${collection} ${change.partition ?? ""} ${id ?? idIn(change.body)}`;
      if (change.method === "DELETE") documents.delete(key);
      else documents.set(key, { ...change, method: "POST", url: `${collection}/docs` });
    } else if (change.method === "DELETE") {
      const isBelow = (place: string): boolean =>
        place === change.url || place.startsWith(`${change.url}/`);
      for (const place of places.keys()) if (isBelow(place)) places.delete(place);
      for (const [key, { url }] of documents) if (isBelow(url)) documents.delete(key);
    } else if (change.method === "POST") {
      places.set(`${change.url}/${idIn(change.body)}`, change);
    }
  }
  return [...places.values(), ...documents.values()];
}

function parsed(line: string): Change | undefined {
  try {
    return JSON.parse(line) as Change;
  } catch {
    // The last line of a process that was killed, or the end of the file.
    return undefined;
  }
}

function idIn(body: string): string {
  const { id } = JSON.parse(body) as { readonly id?: unknown };
  return typeof id === "string" ? id : "";
}

async function redo(url: string, { url: target, partition, body }: Change): Promise<void> {
  const response = await fetch(`${url}${target}`, {
    method: "POST",
    headers: partition === undefined ? {} : { [PARTITION_HEADER]: partition },
    body,
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${target}: kept, and not taken again: ${response.status}`);
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly file: string;
}

/** Hands the request on, whole; before it is answered, what it changed is written. */
async function record(
  { request, response, file }: Exchange,
  handOn: (copy: IncomingMessage) => void,
): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  const { method, url, headers } = request;
  // A second IncomingMessage would end the socket with itself; the emulator reads no more of one.
  const copy = Object.assign(Readable.from(bytes.length === 0 ? [] : [bytes]), {
    method,
    url,
    headers,
  }) as unknown as IncomingMessage;
  const change = changeOf(request, bytes.toString("utf8"));
  if (change !== undefined) {
    const end = response.end.bind(response);
    Object.assign(response, {
      end: (...given: Parameters<typeof end>) => {
        if (response.statusCode < 300) appendFileSync(file, `${JSON.stringify(change)}\n`);
        return end(...given);
      },
    });
  }
  handOn(copy);
}

/** Undefined for what only reads. */
function changeOf({ method = "", url = "", headers }: IncomingMessage, body: string) {
  const isQuery =
    headers["x-ms-documentdb-isquery"] !== undefined ||
    headers["x-ms-cosmos-is-query-plan-request"] !== undefined ||
    (headers["content-type"] ?? "").includes("query");
  const isWrite = ["POST", "PUT", "DELETE"].includes(method) && !isQuery;
  if (!isWrite || NOT_KEPT.test(url)) return undefined;
  const partition = headers[PARTITION_HEADER];
  return { method, url, ...(typeof partition === "string" ? { partition } : {}), body };
}
