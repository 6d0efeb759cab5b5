// The host's /admin routes that are of use locally: ping (open), and with the master key the host's
// status, the list of functions, and starting one by hand (202, fire and forget).

import type { AppFunction } from "./app-loader.ts";
import { grantOf } from "./http-keys.ts";
import { readBody, sendEmpty, sendJson } from "./http-message.ts";
import { isDisabled } from "./http-routes.ts";
import type { Exchange, RunningApp } from "./running-app.ts";
import { messageOf } from "./startup-problem.ts";

export async function answerAdmin(
  exchange: Exchange,
  running: RunningApp | undefined,
): Promise<void> {
  const { host, request, response, url } = exchange;
  const path = url.pathname.toLowerCase().replace(/\/$/, "");
  const method = request.method ?? "GET";
  if (path === "/admin/host/ping" && (method === "GET" || method === "POST")) {
    return sendEmpty(response, 200);
  }
  if (grantOf(request, url, host.keys) !== "master") {
    return sendEmpty(response, 401);
  }
  if (path === "/admin/host/status" && method === "GET") {
    return sendJson(response, 200, hostStatus(running));
  }
  if (running === undefined) {
    return sendEmpty(response, 503);
  }
  if (path === "/admin/functions" && method === "GET") {
    const list = running.functions.map((target) => describe(target, running, url));
    return sendJson(response, 200, list);
  }
  const name = /^\/admin\/functions\/([^/]+)$/.exec(path)?.[1];
  const target = running.functions.find((candidate) => candidate.name.toLowerCase() === name);
  if (target === undefined) {
    return sendEmpty(response, 404);
  }
  if (method === "GET") {
    return sendJson(response, 200, describe(target, running, url));
  }
  return method === "POST" ? start(exchange, running, target) : sendEmpty(response, 404);
}

async function start(
  exchange: Exchange,
  running: RunningApp,
  target: AppFunction,
): Promise<void> {
  const { host, request, response } = exchange;
  const body = await readBody(request, host.bodyLimitBytes);
  const input = inputOf(Buffer.from(body ?? []).toString("utf8"));
  if (input === undefined) {
    return sendEmpty(response, 400);
  }
  running.trigger(target, input).catch((error: unknown) => {
    const message = `Executed (Failed): ${messageOf(error)}`;
    host.log({ level: "error", category: `Function.${target.name}`, message });
  });
  sendEmpty(response, 202);
}

/** The `input` of `{"input": "…"}`; undefined if the body is no such object. */
function inputOf(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== "object" || body === null || Array.isArray(body)) {
      return undefined;
    }
    const input: unknown = "input" in body ? body.input : "";
    return typeof input === "string" ? input : JSON.stringify(input);
  } catch {
    return undefined;
  }
}

function hostStatus(running: RunningApp | undefined): object {
  return {
    id: "holdfast-local",
    state: running === undefined ? "Initialized" : "Running",
    version: "4.1048.0-local",
    processUptime: Math.round(performance.now()),
    extensionBundle: running?.settings.extensionBundle,
  };
}

function describe(target: AppFunction, running: RunningApp, url: URL): object {
  const route = running.routes.find((candidate) => candidate.target === target);
  const bindings = Object.entries(target.metadata.bindings);
  return {
    name: target.name,
    href: `${url.origin}/admin/functions/${target.name}`,
    language: "node",
    isDisabled: isDisabled(target, running.env),
    invoke_url_template: route === undefined ? undefined : `${url.origin}/${route.template.text}`,
    config: { bindings: bindings.map(([name, binding]) => ({ name, ...binding })) },
  };
}
