// Where `http_request` may go: the address a host resolves to must be public, or the operator must
// have allowed the host. Names are resolved once, here, and the connection uses that very answer,
// so that a name cannot show one address to the check and another to the connection.
import { promises as dns } from "node:dns";
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { WorkflowError } from "../core/error.ts";
import { RetryableError, TerminalError } from "../runtime/handlers.ts";

export interface HttpAddress {
  readonly address: string;
  readonly family: number;
}

export type HttpLookup = (hostname: string) => Promise<readonly HttpAddress[]>;

/** Answers all addresses, in the resolver's order. */
export const systemLookup: HttpLookup = (hostname) =>
  dns.lookup(hostname, { all: true, verbatim: true });

/** `host`, `host:port`, `[v6]` or `[v6]:port`. */
const ENTRY = /^(\[[0-9a-f:.]+\]|[^\s/?#@:[\]\\*%]+)(?::(\d{1,5}))?$/i;
/** Azure's platform address: public by its number, yet it answers only inside a virtual network. */
const PLATFORM_ADDRESSES: ReadonlySet<string> = new Set(["168.63.129.16"]);

/** The hosts that may be reached whatever they resolve to. */
export class HttpAllowList {
  readonly #entries: ReadonlySet<string>;

  /** Errors: CONFIGURATION_INVALID for what is no host or host:port, by its place in the list. */
  constructor(entries: readonly string[]) {
    this.#entries = new Set(entries.map((entry, index) => normalised(entry, index + 1)));
  }

  allows(url: URL): boolean {
    const host = hostOf(url);
    return this.#entries.has(host) || this.#entries.has(`${host}:${portOf(url)}`);
  }
}

/** An entry may hold a password, where somebody wrote a URL: `place` is told, never the entry. */
function normalised(entry: string, place: number): string {
  const [, host, port] = ENTRY.exec(entry.trim()) ?? [];
  const url = host === undefined ? undefined : parseUrl(`http://${host}/`);
  if (url === undefined || (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))) {
    throw new WorkflowError(
      "CONFIGURATION_INVALID",
      `HOLDFAST_HTTP_ALLOW: entry ${place}: expected host or host:port, got something else`,
    );
  }
  return port === undefined ? hostOf(url) : `${hostOf(url)}:${Number(port)}`;
}

export function parseUrl(text: string, base?: URL): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}

/** As the URL standard writes it (numbers become dotted IPv4), without brackets and last dot. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}

function portOf(url: URL): string {
  if (url.port !== "") return url.port;
  return url.protocol === "https:" ? "443" : "80";
}

/** What is wrong with a URL before anything is looked up, or undefined. */
export function urlProblem(text: string): string | undefined {
  const url = parseUrl(text);
  if (url === undefined) return "expected an absolute URL";
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return `expected http or https, got ${url.protocol.slice(0, 20)}`;
  }
  if (url.username !== "" || url.password !== "") return "a URL must not hold credentials";
  return undefined;
}

/**
 * The addresses to connect to. One that is not public refuses the host, even among others, unless
 * the operator allowed the host and the list counts for this request.
 * Errors: TerminalError HTTP_FAILED (refused), RetryableError HTTP_FAILED (not resolved).
 */
export async function resolveHost(
  url: URL,
  places: HttpPlaces & { readonly mayUseAllowList: boolean },
): Promise<readonly HttpAddress[]> {
  const host = hostOf(url);
  const family = isIP(host);
  const addresses =
    family === 0 ? await lookUp(host, places.lookup) : [{ address: host, family }];
  if (places.mayUseAllowList && places.allow.allows(url)) return addresses;
  if (addresses.every(({ address }) => isPublicAddress(address))) return addresses;
  throw new TerminalError(
    `${host} is or resolves to a private or reserved address; an operator can allow the host ` +
      "with HOLDFAST_HTTP_ALLOW",
    "HTTP_FAILED",
  );
}

export interface HttpPlaces {
  readonly allow: HttpAllowList;
  readonly lookup: HttpLookup;
}

async function lookUp(host: string, lookup: HttpLookup): Promise<readonly HttpAddress[]> {
  let found: readonly HttpAddress[];
  try {
    found = await lookup(host);
  } catch (error) {
    throw new RetryableError(`${host} cannot be resolved (${errorCode(error)})`, "HTTP_FAILED");
  }
  if (found.length > 0) return found;
  throw new RetryableError(`${host} has no address`, "HTTP_FAILED");
}

/** The code of a network error; its text may hold addresses. */
export function errorCode(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "unknown error";
  return typeof error.code === "string" ? error.code : "unknown error";
}

/** Whether an address is one of the public internet, looking inside IPv6 that carries IPv4. */
export function isPublicAddress(text: string): boolean {
  // Stricter than the library, which also reads octal and short forms.
  if (isIP(text) === 0) return false;
  const address = ipaddr.parse(text);
  if (address.kind() === "ipv4") {
    return address.range() === "unicast" && !PLATFORM_ADDRESSES.has(address.toString());
  }
  const bytes = address.toByteArray();
  const carried = carriedIpv4(bytes);
  if (carried !== undefined) return isPublicAddress(carried.join("."));
  // 2000::/3 is all the public unicast space there is; libraries call more than that unicast.
  return ((bytes[0] ?? 0) & 0xe0) === 0x20 && address.range() === "unicast";
}

/** The IPv4 address inside ::ffff:0:0/96 (mapped), 64:ff9b::/96 (NAT64) and 2002::/16 (6to4). */
function carriedIpv4(bytes: readonly number[]): readonly number[] | undefined {
  const head = bytes.slice(0, 12).map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (head === "00000000000000000000ffff" || head === "0064ff9b0000000000000000") {
    return bytes.slice(12, 16);
  }
  return head.startsWith("2002") ? bytes.slice(2, 6) : undefined;
}
