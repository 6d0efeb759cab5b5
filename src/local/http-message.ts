// HTTP messages between Node and the library: what the host sends for a request and what it makes
// of a response. Repeated query keys are joined by a comma, header names are lower case, and a body
// without Content-Length (chunked) arrives empty, all as in Azure without HTTP streaming.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { RouteValues } from "./route-template.ts";
import type { HttpCookie, HttpData, Nullable, TypedData } from "./rpc.ts";

type Values = Readonly<Record<string, Nullable<string>>>;

export class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";
}

/** Bytes, or undefined where the host sends none. Rejects with BodyTooLarge. */
export async function readBody(
  request: IncomingMessage,
  limitBytes: number,
): Promise<Uint8Array | undefined> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > limitBytes) {
    throw new BodyTooLarge(`${declared} bytes, at most ${limitBytes}`);
  }
  if (!(declared > 0)) {
    return undefined;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(Buffer.from(chunk as Uint8Array));
  }
  return Buffer.concat(chunks);
}

export interface RequestParts {
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly values: RouteValues;
  readonly body: Uint8Array | undefined;
}

export function requestData({ request, url, values, body }: RequestParts): TypedData {
  const http: HttpData = {
    url: url.href,
    method: (request.method ?? "GET").toUpperCase(),
    nullableHeaders: joined(pairs(request.rawHeaders)),
    nullableQuery: joined([...url.searchParams]),
    nullableParams: joined(Object.entries(values)),
    ...(body === undefined ? {} : { body: { bytes: body } }),
  };
  return { http };
}

function* pairs(raw: readonly string[]): Iterable<readonly [string, string]> {
  for (let index = 0; index + 1 < raw.length; index += 2) {
    yield [(raw[index] ?? "").toLowerCase(), raw[index + 1] ?? ""];
  }
}

function joined(entries: Iterable<readonly [string, string]>): Values {
  const values = new Map<string, string>();
  for (const [name, value] of entries) {
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries([...values].map(([name, value]) => [name, { value }]));
}

// Node writes these itself, from the body it is given.
const OWN_HEADERS = ["content-length", "transfer-encoding", "connection", "keep-alive"];
const WITHOUT_BODY = [204, 205, 304];

/** Answers with what the function returned; nothing returned is an empty 204. */
export function sendResponse(
  response: ServerResponse,
  returned: TypedData | null | undefined,
): void {
  const http = returned?.http;
  if (http === undefined) {
    sendEmpty(response, 204);
    return;
  }
  const status = Number(http.statusCode ?? 200);
  response.statusCode = status;
  for (const [name, value] of Object.entries(http.headers ?? {})) {
    if (!OWN_HEADERS.includes(name.toLowerCase())) {
      response.setHeader(name, value);
    }
  }
  const cookies = (http.cookies ?? []).map(cookieText);
  if (cookies.length > 0) {
    response.appendHeader("set-cookie", cookies);
  }
  const body = bodyBytes(http.body);
  if (WITHOUT_BODY.includes(status)) {
    response.end();
  } else {
    response.setHeader("content-length", body.byteLength);
    response.end(body);
  }
}

export function sendEmpty(response: ServerResponse, status: number): void {
  response.statusCode = status;
  if (!WITHOUT_BODY.includes(status)) {
    response.setHeader("content-length", 0);
  }
  response.end();
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  const type = text.startsWith("<") ? "text/html" : "text/plain";
  response.statusCode = status;
  response.setHeader("content-type", `${type}; charset=utf-8`);
  response.setHeader("content-length", Buffer.byteLength(text));
  response.end(text);
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const text = JSON.stringify(value);
  response.statusCode = status;
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.setHeader("content-length", Buffer.byteLength(text));
  response.end(text);
}

function bodyBytes(body: TypedData | null | undefined): Uint8Array {
  if (body?.bytes !== undefined) {
    return body.bytes;
  }
  return Buffer.from(body?.string ?? body?.json ?? "");
}

/** `expires` is left out: nothing here sets it; such a cookie lasts for the session. */
function cookieText(cookie: HttpCookie): string {
  const sameSite = { none: undefined, lax: "lax", strict: "strict", explicitNone: "none" } as const;
  const site = sameSite[cookie.sameSite ?? "none"];
  const parts = [
    `${cookie.name}=${encodeURIComponent(cookie.value)}`,
    cookie.maxAge === undefined ? "" : `max-age=${cookie.maxAge.value}`,
    cookie.domain === undefined ? "" : `domain=${cookie.domain.value}`,
    `path=${cookie.path?.value ?? "/"}`,
    cookie.secure?.value === true ? "secure" : "",
    site === undefined ? "" : `samesite=${site}`,
    cookie.httpOnly?.value === true ? "httponly" : "",
  ];
  return parts.filter((part) => part !== "").join("; ");
}
