// The HTTP face of the host: the homepage, /admin, and the functions. Every refusal has an empty
// body, as in Azure: 404 no route or disabled, 401 no or wrong key, 413 too large, 500 the function
// threw. While the host is starting or stopping every function answers 503. Only what a web page of
// another origin asks for is refused in words, before anything else is looked at: 403.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { answerAdmin } from "./http-admin.ts";
import type { Environment } from "./host-json.ts";
import { refusal } from "./http-guard.ts";
import { grantOf, isAllowed } from "./http-keys.ts";
import { BodyTooLarge, readBody, requestData } from "./http-message.ts";
import { sendEmpty, sendResponse, sendText } from "./http-message.ts";
import { findRoute } from "./http-routes.ts";
import type { Exchange, HttpHost, RunningApp } from "./running-app.ts";
import { codeOf, messageOf, StartupProblem } from "./startup-problem.ts";

// The host's own limit; FUNCTIONS_REQUEST_BODY_SIZE_LIMIT changes it.
const BODY_LIMIT_BYTES = 104_857_600;
const NOT_RUNNING = "Function host is not running.";
const HOMEPAGE =
  "<!DOCTYPE html><html><head><title>Holdfast</title></head>"
  + "<body><p>Your local Functions host is up and running.</p></body></html>";

export function bodyLimit(env: Environment): number {
  const text = env["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"];
  const value = Number(text);
  return text === undefined || !Number.isInteger(value) || value < 0 ? BODY_LIMIT_BYTES : value;
}

export function createHttpServer(host: HttpHost): Server {
  return createServer((request, response) => {
    answer(host, request, response).catch((error: unknown) => {
      host.log({ level: "error", category: "Host.Http", message: messageOf(error) });
      if (response.headersSent) {
        response.destroy();
      } else {
        sendEmpty(response, 500);
      }
    });
  });
}

/** Binds to the loopback interface; resolves with the port. Port 0 takes a free one. */
export async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(listenProblem(error, port)));
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

/** Says at once what would otherwise be found out after the stores have started. */
export async function checkPortIsFree(port: number): Promise<void> {
  const probe = createServer();
  await listen(probe, port);
  await new Promise<void>((resolve) => {
    probe.close(() => resolve());
  });
}

function listenProblem(error: Error, port: number): Error {
  const code = codeOf(error);
  if (code !== "EADDRINUSE" && code !== "EACCES") {
    return error;
  }
  const why = code === "EACCES" ? "not allowed" : "taken by another program";
  const other = code === "EACCES" ? 7071 : port + 1;
  return new StartupProblem(`Port ${port} is ${why}. Choose another one: PORT=${other} npm start`);
}

async function answer(
  host: HttpHost,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refused = refusal(request, request.socket.localPort);
  if (refused !== undefined) {
    host.log({ level: "warning", category: "Host.Http", message: refused.trimEnd() });
    response.setHeader("connection", "close");
    return sendText(response, 403, refused);
  }
  const url = requestUrl(request);
  if (url === undefined) {
    sendEmpty(response, 400);
    return;
  }
  const running = host.current();
  if (url.pathname === "/") {
    const disabled = /^(true|1)$/i.test(running?.env["AzureWebJobsDisableHomepage"] ?? "");
    return disabled ? sendEmpty(response, 204) : sendText(response, 200, HOMEPAGE);
  }
  const exchange = { host, request, response, url };
  if (/^\/admin(\/|$)/i.test(url.pathname)) {
    return answerAdmin(exchange, running);
  }
  if (running === undefined) {
    return sendText(response, 503, NOT_RUNNING);
  }
  await callFunction(exchange, running);
}

async function callFunction(exchange: Exchange, running: RunningApp): Promise<void> {
  const { host, request, response, url } = exchange;
  const found = findRoute(running.routes, request.method ?? "GET", url.pathname);
  if (found === undefined) {
    return sendEmpty(response, 404);
  }
  const { route, values } = found;
  const grant = grantOf(request, url, host.keys);
  if (!isAllowed(route.authLevel, route.target.name, grant)) {
    return sendEmpty(response, 401);
  }
  if (route.disabled && grant !== "master") {
    return sendEmpty(response, 404);
  }
  try {
    const body = await readBody(request, host.bodyLimitBytes);
    const traceParent = request.headers["traceparent"];
    const returned = await running.invoker.invoke(route.target, {
      input: requestData({ request, url, values, body }),
      traceParent: typeof traceParent === "string" ? traceParent : undefined,
    });
    sendResponse(response, returned.returnValue);
  } catch (error) {
    if (error instanceof BodyTooLarge) {
      response.setHeader("connection", "close");
      return sendEmpty(response, 413);
    }
    const message = `Executed (Failed): ${messageOf(error)}`;
    host.log({ level: "error", category: `Function.${route.target.name}`, message });
    sendEmpty(response, 500);
  }
}

function requestUrl(request: IncomingMessage): URL | undefined {
  try {
    return new URL(request.url ?? "/", `http://${request.headers.host ?? "localhost"}`);
  } catch {
    return undefined;
  }
}
