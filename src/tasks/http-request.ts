// `http_request`: one HTTP call to a public host, or to one the operator allowed.
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
    version: "1",
    description:
      "Makes one HTTP request and gives status, headers and body. Follows no redirect; sends the " +
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
  const url = targetOf(params);
  const place = `${params.method} ${hostOf(url)}`;
  const addresses = await untilAborted(resolveHost(url, places), signal);
  const body = bodyOf(params.body);
  const answer = await exchange({
    url,
    method: params.method,
    headers: headersOf(context, body),
    body: body?.bytes,
    addresses,
    maxBytes: params.max_bytes,
    wanted: (status) => isExpected(status, params.expect_status),
    signal,
  });
  log(`${place} answered`, { status: answer.status, bytes: answer.body.byteLength });
  if (!isExpected(answer.status, params.expect_status)) throw statusError(place, answer.status);
  return {
    status: answer.status,
    headers: keptHeaders(answer),
    body: readBody(answer, params, place),
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

interface Body {
  readonly bytes: Buffer;
  readonly type: string;
}

function bodyOf(body: Json): Body | undefined {
  if (body === null) return undefined;
  if (typeof body === "string") {
    return { bytes: Buffer.from(body, "utf8"), type: "text/plain; charset=utf-8" };
  }
  return { bytes: Buffer.from(JSON.stringify(body), "utf8"), type: "application/json" };
}

/** What the params say wins over our defaults; what only we may set comes last. */
function headersOf(context: Context, body: Body | undefined): Record<string, string> {
  const given = Object.entries(context.params.headers);
  return {
    accept: "*/*",
    "user-agent": "holdfast",
    ...(body === undefined ? {} : { "content-type": body.type }),
    ...Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value])),
    "accept-encoding": "identity",
    "idempotency-key": context.idempotencyKey,
  };
}

function statusError(place: string, status: number): Error {
  const hint = status >= 300 && status < 400 ? "; redirects are not followed" : "";
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

function readBody(answer: ExchangeAnswer, params: HttpParams, place: string): Json {
  const type = answer.headers["content-type"] ?? "";
  const isJson = /^\s*(?:application\/json|[^;\s]+\+json)\s*(?:;|$)/i.test(type);
  if (params.response === "text" || (params.response === "auto" && !isJson)) {
    const empty = params.response === "auto" && answer.body.byteLength === 0;
    return empty ? null : decoder(type).decode(answer.body);
  }
  const mayBeEmpty = params.response === "auto" || params.method === "HEAD";
  if (answer.body.byteLength === 0 && (mayBeEmpty || answer.status === 204)) return null;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(answer.body);
    const value: unknown = JSON.parse(text);
    return value as Json;
  } catch {
    throw new TerminalError(`the body of ${place} is not JSON`, "HTTP_FAILED");
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
