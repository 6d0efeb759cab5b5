// The files of `workflows/data` on 127.0.0.1, as the demo serves them; other paths answer 404.
// Sends no date, so that an answer is the same each time.
import { readFileSync, readdirSync } from "node:fs";
import { join, sep } from "node:path";
import { startServer } from "../../support/http-server.ts";
import type { TestServer } from "../../support/http-server.ts";
import { WORKFLOWS } from "./shipped.ts";

const DATA = join(WORKFLOWS, "data");

export interface DataServer {
  readonly baseUrl: string;
  readonly server: TestServer;
  /** Forgets the requests seen so far; the first request for each of these paths answers 503. */
  restart(busyAtFirst?: readonly string[]): void;
}

export async function startDataServer(): Promise<DataServer> {
  const server = await startServer();
  const files = dataFiles();
  const restart = (busyAtFirst: readonly string[] = []): void => {
    const busy = new Set(busyAtFirst);
    server.answer((response, { url }) => {
      response.sendDate = false;
      const body = files.get(url);
      if (busy.delete(url)) response.writeHead(503).end();
      else if (body === undefined) response.writeHead(404).end();
      else response.writeHead(200, { "content-type": typeOf(url) }).end(body);
    });
  };
  restart();
  return { baseUrl: `http://127.0.0.1:${server.port}`, server, restart };
}

/** By path, as a URL has it. */
function dataFiles(): ReadonlyMap<string, Buffer> {
  const entries = readdirSync(DATA, { recursive: true, encoding: "utf8" })
    .filter((name) => name.includes("."))
    .map((name) => [`/${name.split(sep).join("/")}`, readFileSync(join(DATA, name))] as const);
  return new Map(entries);
}

function typeOf(path: string): string {
  return path.endsWith(".csv") ? "text/csv; charset=utf-8" : "application/json";
}
