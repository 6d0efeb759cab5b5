// Serves the sample data over HTTP on 127.0.0.1, on a free port: what the shipped workflows fetch.
// Files are read once, before the first request; nothing else can be reached.
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import path from "node:path";

export interface DataServer {
  readonly url: string;
  /** The files below `url`, with slashes. */
  readonly files: readonly string[];
  close(): void;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".csv": "text/csv; charset=utf-8",
  ".json": "application/json; charset=utf-8",
};

export async function serveData(folder: string): Promise<DataServer> {
  const files = await readAll(folder);
  const server = createServer((request, response) => {
    const name = decodedPath(request.url ?? "/");
    const bytes = files.get(name);
    if (bytes === undefined) {
      response.writeHead(404).end();
      return;
    }
    const type = CONTENT_TYPES[path.extname(name)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type }).end(bytes);
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    files: [...files.keys()],
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function readAll(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  const read = async (name: string): Promise<[string, Buffer]> => {
    return [name.replaceAll(path.sep, "/"), await readFile(path.join(folder, name))];
  };
  return new Map(await Promise.all(names.sort().map(read)));
}

function decodedPath(url: string): string {
  try {
    return decodeURIComponent(new URL(url, "http://127.0.0.1").pathname).slice(1);
  } catch {
    return "";
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
