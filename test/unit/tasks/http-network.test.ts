// http_request and a world that fails: broken servers, lying names, time running out.
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HttpAddress } from "../../../src/tasks/http-address.ts";
import { httpRequestHandler } from "../../../src/tasks/http-request.ts";
import { startServer } from "../../support/http-server.ts";
import type { Respond, TestServer } from "../../support/http-server.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { runTask, taskFailure, taskOutput } from "../../support/run-task.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** Both by its address and by a name that only the stub resolver knows. */
function handlerFor(lookup: () => Promise<readonly HttpAddress[]>) {
  return httpRequestHandler({ allow: ["127.0.0.1", "stub.test"], lookup }, manualClock());
}

const fine: Respond = (response) => {
  response.writeHead(200, { "content-type": "application/json" }).end('{"fine":true}');
};

describe("the network", () => {
  async function broken(onSocket: (socket: Socket) => void) {
    const sockets = new Set<Socket>();
    const listener = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      onSocket(socket);
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const { port } = listener.address() as AddressInfo;
    const handler = httpRequestHandler({ allow: ["127.0.0.1"] }, manualClock());
    const url = `http://127.0.0.1:${port}/secret`;
    const outcome = await taskFailure(handler, { url });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => listener.close(resolve));
    return outcome;
  }

  const OK = "HTTP/1.1 200 OK\r\n";
  const ways: readonly [string, (socket: Socket) => void][] = [
    ["closes at once", (socket) => socket.destroy()],
    ["speaks no HTTP", (socket) => socket.end("hello\r\n\r\n")],
    ["stops within the headers", (socket) => socket.end("HTTP/1.1 200 OK\r\nA: b\r\n")],
    ["stops within the body", (socket) =>
      socket.end(`${OK}Content-Length: 9\r\n\r\nab`)],
    ["stops within a chunk", (socket) =>
      socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab")],
    ["frames its body twice", (socket) =>
      socket.end(`${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)],
    ["sends endless headers", (socket) =>
      socket.write(`HTTP/1.1 200 OK\r\n${`a: ${"b".repeat(1000)}\r\n`.repeat(40)}`)],
    ["upgrades unasked", (socket) =>
      socket.end("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")],
  ];
  test.each(ways)("a server that %s is a failure worth retrying", async (_name, onSocket) => {
    const { code, message, retryable } = await broken(onSocket);
    expect({ code, retryable }).toEqual({ code: "HTTP_FAILED", retryable: true });
    expect(message).toMatch(/^GET 127\.0\.0\.1: [A-Z_]+$/);
  });

  const floods: readonly [string, (socket: Socket) => void, string][] = [
    ["a hundred and one headers", (socket) =>
      socket.end(`${OK}${"a: b\r\n".repeat(101)}\r\n`), "127.0.0.1 sent more than 100 headers"],
    ["interim answers without end", (socket) =>
      void socket.write("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n".repeat(50)),
      "127.0.0.1 sent more than 10 interim answers"],
  ];
  test.each(floods)("a server that sends %s is cut off for good", async (_name, onSocket, text) => {
    expect(await broken(onSocket)).toEqual({
      code: "HTTP_FAILED",
      message: text,
      retryable: false,
    });
  });

  test("a connection that nobody accepts is worth retrying", async () => {
    const gone = await startServer();
    await gone.close();
    const handler = httpRequestHandler({ allow: ["127.0.0.1"] }, manualClock());
    expect(await taskFailure(handler, { url: `http://127.0.0.1:${gone.port}/` })).toEqual({
      code: "HTTP_FAILED",
      message: "GET 127.0.0.1: ECONNREFUSED",
      retryable: true,
    });
  });

  test("https towards a server without it is worth retrying", async () => {
    server.answer(fine);
    const handler = httpRequestHandler({ allow: ["127.0.0.1"] }, manualClock());
    const { code, retryable } = await taskFailure(handler, {
      url: `https://127.0.0.1:${server.port}/`,
    });
    expect({ code, retryable }).toEqual({ code: "HTTP_FAILED", retryable: true });
  });

  test("the connection goes to the address that was checked, looked up once", async () => {
    const answers = ["127.0.0.1", "127.0.0.2"];
    let lookups = 0;
    const lookup = () => {
      const address = answers[lookups] ?? "";
      lookups += 1;
      return Promise.resolve([{ address, family: 4 }]);
    };
    server.answer(fine);
    const url = `http://stub.test:${server.port}/`;
    const output = await taskOutput(handlerFor(lookup), { url });
    expect(output).toMatchObject({ body: { fine: true } });
    expect(lookups).toBe(1);
    expect(server.seen[0]?.headers.host).toBe(`stub.test:${server.port}`);
  });

  test("the second address is tried when the first does not answer", async () => {
    const lookup = () =>
      Promise.resolve([{ address: "::1", family: 6 }, { address: "127.0.0.1", family: 4 }]);
    server.answer(fine);
    await taskOutput(handlerFor(lookup), { url: `http://stub.test:${server.port}/` });
    expect(server.seen).toHaveLength(1);
  });
});

describe("time", () => {
  interface Hanging {
    readonly lookup?: () => Promise<readonly HttpAddress[]>;
    readonly respond?: Respond;
  }

  /** A call that hangs, moved on only when the server, or the resolver, has been reached. */
  async function hanging(part: Hanging, then: (end: {
    readonly clock: ReturnType<typeof manualClock>;
    readonly controller: AbortController;
  }) => void) {
    const clock = manualClock();
    const controller = new AbortController();
    let reach = (): void => {};
    const reached = new Promise<void>((resolve) => {
      reach = resolve;
    });
    server.answer((response, request) => {
      part.respond?.(response, request);
      reach();
    });
    const lookup = part.lookup;
    const handler = httpRequestHandler(
      {
        allow: ["stub.test", "127.0.0.1"],
        ...(lookup === undefined ? {} : { lookup: () => (reach(), lookup()) }),
      },
      clock,
    );
    const host = lookup === undefined ? "127.0.0.1" : "stub.test";
    const outcome = runTask(
      handler,
      { url: `http://${host}:${server.port}/`, timeout_seconds: 5 },
      { clock, signal: controller.signal },
    );
    await reached;
    then({ clock, controller });
    const ended = await outcome;
    expect(clock.pending()).toBe(0);
    return ended;
  }

  const ways: readonly [string, Hanging][] = [
    ["a name that does not resolve", { lookup: () => new Promise(() => {}) }],
    ["a server that does not answer", {}],
    ["a body that does not end", {
      respond: (response) => {
        response.writeHead(200, { "content-type": "text/plain" });
        response.write("x");
      },
    }],
  ];
  test.each(ways)("%s runs out of time and may be retried", async (_name, part) => {
    const outcome = await hanging(part, ({ clock }) => clock.advance(5_000));
    expect(outcome).toMatchObject({
      kind: "failed",
      retryable: true,
      error: { code: "HTTP_FAILED", message: "no whole answer within 5 s" },
    });
  });

  test.each(ways)("%s ends when the job is cancelled", async (_name, part) => {
    const outcome = await hanging(part, ({ controller }) => controller.abort());
    expect(outcome).toMatchObject({ kind: "aborted" });
  });
});
