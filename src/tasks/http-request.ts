// `http_request`: one HTTP call to a public host, or to one the operator allowed. A redirect is a
// new call: looked up, checked and pinned like the first, within the same time.
// Messages name the method, the host and the status; never the path, the query or a body.
import type { Json } from "../core/json.ts";
import { MAX_OUTPUT_BYTES } from "../core/limits.ts";
import { RetryableError, TerminalError, defineHandler } from "../runtime/handlers.ts";
import type { Handler, HandlerContext } from "../runtime/handlers.ts";
import type { Clock } from "../runtime/ports.ts";
import { HttpAllowList, hostOf, resolveHost, systemLookup } from "./http-address.ts";
import type { HttpLookup, HttpPlaces } from "./http-address.ts";
import { exchange } from "./http-exchange.ts";
import type { ExchangeAnswer } from "./http-exchange.ts";
import { isRedirect, redirected } from "./http-redirect.ts";
import type { HttpBody, HttpHop } from "./http-redirect.ts";
import { KEPT_HEADERS, httpOutput, httpParams } from "./http-params.ts";
import { isExpected, isWorthRetrying } from "./http-params.ts";
import type { HttpOutput, HttpParams } from "./http-params.ts";

export interface HttpOptions {
  /** Hosts or host:port that may be reached although their address is not public. */
  readonly allow: readonly string[];
  /** How names are resolved; the system's resolver unless a test says otherwise. */
  readonly lookup?: HttpLookup;
  /** The most a body may have; 1 MiB unless said otherwise. */
  readonly maxBytes?: number;
}

type Context = HandlerContext<HttpParams>;

/** Errors: CONFIGURATION_INVALID for an entry of `allow` that is no host. */
export function httpRequestHandler(options: HttpOptions, clock: Clock): Handler {
  const places: HttpPlaces = {
    allow: new HttpAllowList(options.allow),
    lookup: options.lookup ?? systemLookup,
  };
  return defineHandler({
    name: "http_request",
    version: "2",
    description:
      "Makes one HTTP request, follows redirects, and gives status, headers and body. Sends the " +
      "attempt's key as Idempotency-Key.",
    params: httpParams(options.maxBytes ?? MAX_OUTPUT_BYTES),
    output: httpOutput,
    run: async (context) => {
      const limit = limited(context, clock);
      try {
        return await perform(context, places, limit.signal);
      } finally {
        limit.release();
      }
    },
  });
}

async function perform(
  context: Context,
  places: HttpPlaces,
  signal: AbortSignal,
): Promise<HttpOutput> {
  const { params, log } = context;
  let hop = firstHop(params);
  for (let redirects = 0; ; redirects += 1) {
    const place = `${hop.method} ${hostOf(hop.url)}`;
    const answer = await callOnce(context, hop, { places, signal });
    const { status } = answer;
    log(`${place} answered`, { status, bytes: answer.body.byteLength });
    if (isExpected(status, params.expect_status)) return outputOf(hop, answer, params);
    const { location } = answer.headers;
    const leads = params.max_redirects > 0 && isRedirect(status) && location !== undefined;
    if (!leads) throw statusError(place, status);
    if (redirects >= params.max_redirects) {
      const message = `${place} answered ${status} after ${redirects} redirects, the most`;
      throw new TerminalError(message, "HTTP_FAILED");
    }
    hop = redirected(hop, { status, location }, places.allow);
  }
}

function firstHop(params: HttpParams): HttpHop {
  const given = Object.entries(params.headers);
  return {
    url: targetOf(params),
    method: params.method,
    headers: Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value])),
    body: bodyOf(params.body),
    mayUseAllowList: true,
  };
}

async function callOnce(
  context: Context,
  hop: HttpHop,
  given: { readonly places: HttpPlaces; readonly signal: AbortSignal },
): Promise<ExchangeAnswer> {
  const { url, method, body, mayUseAllowList } = hop;
  const { places, signal } = given;
  const { params } = context;
  const looking = resolveHost(url, { ...places, mayUseAllowList });
  const addresses = await untilAborted(looking, signal);
  return exchange({
    url,
    method,
    headers: headersOf(context, hop),
    body: body?.bytes,
    addresses,
    maxBytes: params.max_bytes,
    wanted: (status) => isExpected(status, params.expect_status),
    signal,
  });
}

function outputOf(hop: HttpHop, answer: ExchangeAnswer, params: HttpParams): HttpOutput {
  const { url, method } = hop;
  return {
    status: answer.status,
    headers: keptHeaders(answer),
    body: readBody(answer, { method, response: params.response, place: hostOf(url) }),
    bytes: answer.body.byteLength,
    url: `${url.origin}${url.pathname}`,
  };
}

function targetOf(params: HttpParams): URL {
  const url = new URL(params.url);
  url.hash = "";
  for (const [name, value] of Object.entries(params.query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      url.searchParams.append(name, String(one));
    }
  }
  return url;
}

function bodyOf(body: Json): HttpBody | undefined {
  if (body === null) return undefined;
  if (typeof body === "string") {
    return { bytes: Buffer.from(body, "utf8"), type: "text/plain; charset=utf-8" };
  }
  return { bytes: Buffer.from(JSON.stringify(body), "utf8"), type: "application/json" };
}

/** What the params say wins over our defaults; what only we may set comes last. */
function headersOf(context: Context, { headers, body }: HttpHop): Record<string, string> {
  return {
    accept: "*/*",
    "user-agent": "holdfast",
    ...(body === undefined ? {} : { "content-type": body.type }),
    ...headers,
    "accept-encoding": "identity",
    "idempotency-key": context.idempotencyKey,
  };
}

function statusError(place: string, status: number): Error {
  const hint = isRedirect(status) ? "; the redirect was not followed" : "";
  const message = `${place} answered ${status}${hint}`;
  return isWorthRetrying(status)
    ? new RetryableError(message, "HTTP_STATUS")
    : new TerminalError(message, "HTTP_STATUS");
}

function keptHeaders(answer: ExchangeAnswer): Record<string, string> {
  const kept = KEPT_HEADERS.flatMap((name) => {
    const value = answer.headers[name];
    return typeof value === "string" ? [[name, value] as const] : [];
  });
  return Object.fromEntries(kept);
}

function readBody(
  answer: ExchangeAnswer,
  given: { readonly method: string; readonly response: string; readonly place: string },
): Json {
  const { method, response, place } = given;
  const type = answer.headers["content-type"] ?? "";
  const isJson = /^\s*(?:application\/json|[^;\s]+\+json)\s*(?:;|$)/i.test(type);
  if (response === "text" || (response === "auto" && !isJson)) {
    const empty = response === "auto" && answer.body.byteLength === 0;
    return empty ? null : decoder(type).decode(answer.body);
  }
  const mayBeEmpty = response === "auto" || method === "HEAD";
  if (answer.body.byteLength === 0 && (mayBeEmpty || answer.status === 204)) return null;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(answer.body);
    const value: unknown = JSON.parse(text);
    return value as Json;
  } catch {
    throw new TerminalError(`the body of ${method} ${place} is not JSON`, "HTTP_FAILED");
  }
}

function decoder(contentType: string): InstanceType<typeof TextDecoder> {
  const [, label] = /;\s*charset="?([\w.:-]+)/i.exec(contentType) ?? [];
  try {
    return new TextDecoder(label ?? "utf-8");
  } catch {
    return new TextDecoder("utf-8");
  }
}

interface Limit {
  readonly signal: AbortSignal;
  readonly release: () => void;
}

/** Aborted by the attempt's signal, and when `timeout_seconds` pass without a whole answer. */
function limited(context: Context, clock: Clock): Limit {
  const { signal, params } = context;
  const controller = new AbortController();
  const stop = (): void => controller.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  const cancel = clock.after(params.timeout_seconds * 1000, () => {
    const seconds = params.timeout_seconds;
    controller.abort(new RetryableError(`no whole answer within ${seconds} s`, "HTTP_FAILED"));
  });
  const release = (): void => {
    cancel();
    signal.removeEventListener("abort", stop);
  };
  return { signal: controller.signal, release };
}

/** A name's resolution cannot be stopped; its answer is no longer waited for. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(asError(signal.reason));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new DOMException("aborted", "AbortError");
}
