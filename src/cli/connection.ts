// Where the app is and which key it gets: flags, then the environment, then the profile file, then
// a host on this machine. A key is never an argument, for arguments are seen by everybody on the
// machine; it is read from a profile file that nobody else may read; and it never crosses a network
// in the clear. A profile's key goes to its endpoint alone.
import { parse } from "yaml";
import * as z from "zod";
import { safeParse } from "../core/safe-parse.ts";
import { CommandProblem, EXIT, safe } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

export interface Connection {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly key?: string;
  /** Where it comes from, for people. */
  readonly source: string;
}

export const LOCAL_ENDPOINT = "http://127.0.0.1:7071";
/** What `npm start` takes unless HOLDFAST_LOCAL_KEY says another. */
const LOCAL_KEY = "holdfast-local-key";

const profileSchema = z.strictObject({
  endpoint: z.string().min(1),
  key: z.string().min(1).exactOptional(),
});

const fileSchema = z.strictObject({
  default: z.string().exactOptional(),
  profiles: z.record(z.string(), profileSchema),
});

export interface Given {
  readonly endpoint?: string | undefined;
  readonly profile?: string | undefined;
}

/** Errors: CommandProblem with EXIT.usage. */
export async function connectionOf(terminal: Terminal, given: Given): Promise<Connection> {
  const { env } = terminal;
  const found = await firstOf(terminal, given);
  const endpoint = checkedEndpoint(found.endpoint);
  const isLocal = isLoopback(endpoint);
  const key = found.key ?? (isLocal ? (env["HOLDFAST_LOCAL_KEY"] ?? LOCAL_KEY) : undefined);
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
    throw usage("the key has characters that no key has", "copy it again");
  }
  if (key !== undefined && endpoint.startsWith("http:") && !isLocal) {
    throw usage(`${endpoint}: a key would cross the network in the clear`, "use https://");
  }
  return { endpoint, ...(key === undefined ? {} : { key }), source: found.source };
}

type Found = Pick<Connection, "source"> & { readonly endpoint: string; readonly key?: string };

async function firstOf(terminal: Terminal, { endpoint, profile }: Given): Promise<Found> {
  const { env } = terminal;
  if (endpoint !== undefined && profile !== undefined) {
    throw usage("--endpoint and --profile: expected one of them", "a profile has its endpoint");
  }
  const key = env["HOLDFAST_KEY"];
  const keyed = key === undefined || key === "" ? {} : { key };
  if (endpoint !== undefined) return { endpoint, ...keyed, source: "--endpoint" };
  const profiled = async (name: string) => ({ ...keyed, ...(await profileOf(terminal, name)) });
  if (profile !== undefined) return profiled(profile);
  const fromEnv = env["HOLDFAST_ENDPOINT"] ?? "";
  if (fromEnv !== "") return { endpoint: fromEnv, ...keyed, source: "HOLDFAST_ENDPOINT" };
  const named = env["HOLDFAST_PROFILE"] ?? "";
  if (named !== "") return profiled(named);
  const file = await profileFile(terminal);
  if (file?.default !== undefined) return profiled(file.default);
  return { endpoint: LOCAL_ENDPOINT, ...keyed, source: "the host on this machine" };
}

export function profilePath({ env }: Pick<Terminal, "env">): string {
  const { XDG_CONFIG_HOME: config = "", HOME: home = "", USERPROFILE: windows = "" } = env;
  const folder = config === "" ? `${home === "" ? windows : home}/.config` : config;
  return `${folder}/holdfast/profiles.yaml`;
}

async function profileOf(terminal: Terminal, name: string): Promise<Found> {
  const file = await profileFile(terminal);
  const profile =
    file !== undefined && Object.hasOwn(file.profiles, name) ? file.profiles[name] : undefined;
  const path = profilePath(terminal);
  if (profile === undefined) {
    const names = Object.keys(file?.profiles ?? {}).map(safe).join(", ");
    const has = names === "" ? "has none" : `has ${names}`;
    throw usage(`profile "${safe(name)}": ${path} ${has}`, "add it there, or name another");
  }
  return { ...profile, source: `profile ${safe(name)}` };
}

async function profileFile(terminal: Terminal): Promise<z.output<typeof fileSchema> | undefined> {
  const path = profilePath(terminal);
  const mode = await terminal.mode(path);
  const text = await terminal.readText(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw usage(`${path}: cannot be read`, "it may name the app to talk to");
  });
  if (text === undefined) return undefined;
  if (mode !== undefined && (mode & 0o077) !== 0) {
    const problem = "others on this machine may read it, and it holds keys";
    throw usage(`${path}: ${problem}`, `chmod 600 ${path}`);
  }
  const parsed = safeParse(fileSchema, yamlOf(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.map(String).join(".") ?? "";
  const what = `${where === "" ? "" : `${safe(where)}: `}${safe(issue?.message ?? "not readable")}`;
  throw usage(`${path}: ${what}`, "profiles: { NAME: { endpoint: URL, key: KEY } }");
}

/** Undefined for what is no YAML: the parser's own words would repeat what stands there. */
function yamlOf(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const EXPECTED = "expected http://HOST:PORT or https://HOST";

function checkedEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // What is refused may hold a secret, so it is not repeated.
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw usage(`endpoint "${safe(text.replace(/\/\/.*@/, "//…@"))}": ${EXPECTED}`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "") {
    throw usage(`endpoint at ${safe(url.host)}: ${EXPECTED}, and nothing that identifies you`);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "").replace(/\/api(?:\/v1|\/ui)?$/, "");
}

export function isLoopback(endpoint: string): boolean {
  const { hostname } = new URL(endpoint);
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d+){3}$/.test(hostname);
}

function usage(message: string, hint?: string): CommandProblem {
  return new CommandProblem(message, { exit: EXIT.usage, ...(hint === undefined ? {} : { hint }) });
}
