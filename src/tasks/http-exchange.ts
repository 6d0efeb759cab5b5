// One HTTP exchange over a connection of its own to addresses that were checked before.
// No redirect is followed here, no proxy used, no connection shared; headers are bounded in bytes,
// number and interim answers, the body is counted as it comes and never decompressed.
// Errors: TerminalError HTTP_FAILED for what will not change, RetryableError for the network's.
import { request as httpRequest } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import { RetryableError, TerminalError } from "../runtime/handlers.ts";
import { errorCode, hostOf } from "./http-address.ts";
import type { HttpAddress } from "./http-address.ts";

export interface ExchangeRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  /** At least one. */
  readonly addresses: readonly HttpAddress[];
  readonly maxBytes: number;
  /** Whether a body is wanted with this status; otherwise the connection is cut. */
  readonly wanted: (status: number) => boolean;
  readonly signal: AbortSignal;
}

export interface ExchangeAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: IncomingMessage["headers"];
  /** Empty for a status that was not wanted. */
  readonly body: Buffer;
}

const MAX_HEADER_BYTES = 16 * 1024;
const MAX_ANSWER_HEADERS = 100;
/** 1xx answers before the real one; each costs work, and none ends the exchange. */
const MAX_INTERIM = 10;

export async function exchange(request: ExchangeRequest): Promise<ExchangeAnswer> {
  try {
    const response = await send(request);
    const status = response.statusCode ?? 0;
    const { headers } = response;
    if (response.rawHeaders.length > 2 * MAX_ANSWER_HEADERS) {
      response.destroy();
      throw tooMuch(request.url, `${MAX_ANSWER_HEADERS} headers`);
    }
    if (request.wanted(status)) return { status, headers, body: await read(response, request) };
    response.destroy();
    return { status, headers, body: Buffer.alloc(0) };
  } catch (error) {
    request.signal.throwIfAborted();
    if (error instanceof TerminalError || error instanceof RetryableError) throw error;
    const message = `${request.method} ${hostOf(request.url)}: ${errorCode(error)}`;
    throw new RetryableError(message, "HTTP_FAILED");
  }
}

function send(request: ExchangeRequest): Promise<IncomingMessage> {
  const { url, method, headers, body, addresses, signal } = request;
  const options: RequestOptions = {
    method,
    // Node leaves the length of a DELETE's body out, and the body would be read as a next request.
    headers: body === undefined ? headers : { ...headers, "content-length": body.byteLength },
    agent: false,
    lookup: answering(addresses),
    maxHeaderSize: MAX_HEADER_BYTES,
    signal,
  };
  return new Promise((resolve, reject) => {
    const sent =
      url.protocol === "https:"
        ? httpsRequest(url, options, resolve)
        : httpRequest(url, options, resolve);
    // Stays for the connection's whole life: a cut after the answer must not be uncaught.
    sent.on("error", reject);
    // An upgrade nobody asked for ends without an error; after an answer this says nothing.
    const silent = Object.assign(new Error("closed without an answer"), { code: "ECONNRESET" });
    sent.on("close", () => reject(silent));
    let interim = 0;
    sent.on("information", () => {
      interim += 1;
      if (interim > MAX_INTERIM) sent.destroy(tooMuch(url, `${MAX_INTERIM} interim answers`));
    });
    // A POST without a body announces 0.
    sent.end(body);
  });
}

/** A resolver that knows one answer: what was checked. */
function answering(addresses: readonly HttpAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses;
    queueMicrotask(() => {
      if (options.all === true) callback(null, [...addresses]);
      else callback(null, first?.address ?? "", first?.family);
    });
  };
}

async function read(response: IncomingMessage, request: ExchangeRequest): Promise<Buffer> {
  const { maxBytes, url } = request;
  const host = hostOf(url);
  const encoding = response.headers["content-encoding"] ?? "identity";
  const announced = Number(response.headers["content-length"] ?? 0);
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    if (encoding.toLowerCase() !== "identity") {
      throw new TerminalError(`${host} sent a compressed body unasked`, "HTTP_FAILED");
    }
    if (request.method !== "HEAD" && announced > maxBytes) throw tooLarge(host, maxBytes);
    for await (const part of response as AsyncIterable<Buffer>) {
      bytes += part.byteLength;
      if (bytes > maxBytes) throw tooLarge(host, maxBytes);
      parts.push(part);
    }
  } finally {
    response.destroy();
  }
  return Buffer.concat(parts);
}

function tooMuch(url: URL, most: string): TerminalError {
  return new TerminalError(`${hostOf(url)} sent more than ${most}`, "HTTP_FAILED");
}

function tooLarge(host: string, maxBytes: number): TerminalError {
  return new TerminalError(`the body of ${host} is larger than ${maxBytes} bytes`, "HTTP_FAILED");
}
