// Redirects of `http_request`: where one leads, and what of the request goes there (RFC 9110,
// section 15.4). Whoever sends a redirect is a stranger: what it names passes every check again,
// and what the author meant for one origin never reaches another.
// Errors: TerminalError HTTP_FAILED; trying again would be redirected again.
import { TerminalError } from "../runtime/handlers.ts";
import { hostOf, parseUrl, urlProblem } from "./http-address.ts";
import type { HttpAllowList } from "./http-address.ts";

export interface HttpHop {
  readonly url: URL;
  readonly method: string;
  /** As the author gave them, in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: HttpBody | undefined;
  /** Whether the operator's list may open a private address: not where a stranger points to it. */
  readonly mayUseAllowList: boolean;
}

export interface HttpBody {
  readonly bytes: Buffer;
  readonly type: string;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** All that another origin may see of the author's headers: these say how, not who. */
const HARMLESS_HEADERS = ["accept", "content-type"];
const MAX_LOCATION_CHARS = 8192;

export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status);
}

/** The request that follows `hop` after this status and Location. */
export function redirected(
  hop: HttpHop,
  answer: { readonly status: number; readonly location: string },
  allow: HttpAllowList,
): HttpHop {
  const place = `${hop.method} ${hostOf(hop.url)}`;
  const url = targetOf(hop.url, answer.location, place);
  const isSameOrigin = url.origin === hop.url.origin;
  const method = methodAfter(hop.method, answer.status);
  const body = method === hop.method ? hop.body : undefined;
  if (body !== undefined && !isSameOrigin) {
    throw refused(place, "would carry the body to another origin; name that origin in url");
  }
  const kept = isSameOrigin ? hop.headers : only(HARMLESS_HEADERS, hop.headers);
  const headers = body === undefined ? without(["content-type"], kept) : kept;
  // An allowed host vouches for where it sends us; nobody else does.
  const mayUseAllowList = isSameOrigin
    ? hop.mayUseAllowList
    : hop.mayUseAllowList && allow.allows(hop.url);
  return { url, method, headers, body, mayUseAllowList };
}

function targetOf(from: URL, location: string, place: string): URL {
  if (location.length > MAX_LOCATION_CHARS) throw refused(place, "has a Location that is too long");
  const url = parseUrl(location, from);
  if (url === undefined) throw refused(place, "leads to no URL");
  const problem = urlProblem(url.href);
  if (problem !== undefined) throw refused(place, `is refused: ${problem}`);
  if (from.protocol === "https:" && url.protocol === "http:") {
    throw refused(place, `leads from https to http, to ${hostOf(url)}`);
  }
  url.hash = "";
  return url;
}

/** 303 means "look there"; 301 and 302 turn a POST into a GET, as every client does. */
function methodAfter(method: string, status: number): string {
  if (status === 303) return method === "HEAD" ? "HEAD" : "GET";
  return (status === 301 || status === 302) && method === "POST" ? "GET" : method;
}

function only(
  names: readonly string[],
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => names.includes(name)));
}

function without(
  names: readonly string[],
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

function refused(place: string, problem: string): TerminalError {
  return new TerminalError(`the redirect of ${place} ${problem}`, "HTTP_FAILED");
}
