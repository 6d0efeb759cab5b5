// A place where jobs can be held between two nodes: an HTTP server that answers a task only when
// the test opens the door that the task knocked at. Nothing sleeps and nothing is guessed.
import type { ServerResponse } from "node:http";
import { startServer } from "./http-server.ts";
import { waitFor } from "./wait-until.ts";

export interface Gate {
  readonly port: number;
  /** Resolves when `count` tasks wait at this door. */
  waiting(door: string, count: number): Promise<void>;
  /** Answers everybody at this door, and from now on whoever comes. */
  open(door: string): void;
  /** Answers 404 to everybody at this door. */
  fail(door: string): void;
  close(): Promise<void>;
}

export async function startGate(): Promise<Gate> {
  const server = await startServer();
  const held = new Map<string, ServerResponse[]>();
  const opened = new Set<string>();
  const pass = (response: ServerResponse): void => {
    response.setHeader("content-type", "application/json");
    response.end('{"passed": true}');
  };
  server.answer((response, { url }) => {
    const door = url.slice(1).split("?", 1)[0] ?? "";
    if (opened.has(door)) pass(response);
    else held.set(door, [...(held.get(door) ?? []), response]);
  });
  return {
    port: server.port,
    waiting: async (door, count) => {
      const what = `${count} tasks wait at door ${door}`;
      await waitFor(() => held.get(door)?.length === count, { what });
    },
    open: (door) => {
      opened.add(door);
      for (const response of held.get(door) ?? []) pass(response);
    },
    fail: (door) => {
      for (const response of held.get(door) ?? []) response.writeHead(404).end();
    },
    close: () => server.close(),
  };
}
