// How to reach Cosmos DB and the storage queues: by identity in Azure, by key or connection string
// on a developer's machine. Emulators, known by a loopback host or by their published key, are
// refused outside Development: an app in Azure must never talk to a store that forgets.
// Called by settings.ts alone.
import type { Issue } from "../core/error.ts";

export interface Identity {
  readonly kind: "identity";
  readonly endpoint: string;
  /** Of a user-assigned identity. */
  readonly clientId?: string;
  /** Only the managed identity; otherwise whatever credential the machine offers. */
  readonly managed: boolean;
}

export type CosmosConnection =
  | Identity
  | { readonly kind: "key"; readonly endpoint: string; readonly key: string };

export type QueueConnection =
  | Identity
  | { readonly kind: "connection_string"; readonly connectionString: string };

export interface Read<T> {
  readonly value?: T;
  readonly issues: readonly Issue[];
}

type Given = Readonly<Record<string, string>>;

/** Published with the emulators; no secrets. */
const COSMOS_EMULATOR_KEY =
  "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==";
const STORAGE_EMULATOR_ACCOUNT = "devstoreaccount1";
const STORAGE_EMULATOR_KEY =
  "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

const USE_AZURE_COSMOS =
  "set COSMOS_CONNECTION__accountEndpoint to the https endpoint of the account";
const USE_AZURE_QUEUES =
  "set AzureWebJobsStorage__queueServiceUri to the https address of the queue service";

export function cosmosConnection(given: Given, development: boolean): Read<CosmosConnection> {
  const byIdentity = given["COSMOS_CONNECTION__accountEndpoint"];
  const endpoint = given["COSMOS_ENDPOINT"];
  const key = given["COSMOS_KEY"];
  if (byIdentity !== undefined && (endpoint !== undefined || key !== undefined)) {
    return problem("COSMOS_ENDPOINT: not expected beside COSMOS_CONNECTION__accountEndpoint", {
      hint: "keep one of the two ways to connect",
    });
  }
  if (byIdentity !== undefined) {
    return identity(given, {
      setting: "COSMOS_CONNECTION__accountEndpoint",
      prefix: "COSMOS_CONNECTION",
      development,
    });
  }
  if (endpoint === undefined || key === undefined) {
    const missing = [
      ...(endpoint === undefined ? ["COSMOS_ENDPOINT"] : []),
      ...(key === undefined ? ["COSMOS_KEY"] : []),
    ];
    return problem(`${missing.join(" and ")}: missing, so no Cosmos DB can be reached`, {
      hint: `${USE_AZURE_COSMOS}, or COSMOS_ENDPOINT and COSMOS_KEY on your own machine`,
    });
  }
  const issue = addressIssue("COSMOS_ENDPOINT", endpoint, development);
  if (issue !== undefined) return { issues: [issue] };
  if (!development && key === COSMOS_EMULATOR_KEY) return emulatorRefused("COSMOS_KEY");
  return { value: { kind: "key", endpoint, key }, issues: [] };
}

export function queueConnection(given: Given, development: boolean): Read<QueueConnection> {
  const uri = given["AzureWebJobsStorage__queueServiceUri"];
  const connectionString = given["AzureWebJobsStorage"];
  if (uri !== undefined && connectionString !== undefined) {
    const setting = "AzureWebJobsStorage";
    return problem(`${setting}: not expected beside ${setting}__queueServiceUri`, {
      hint: "keep one of the two ways to connect",
    });
  }
  if (uri !== undefined) {
    return identity(given, {
      setting: "AzureWebJobsStorage__queueServiceUri",
      prefix: "AzureWebJobsStorage",
      development,
    });
  }
  if (connectionString === undefined) {
    return problem("AzureWebJobsStorage: missing, so no queue can be reached", {
      hint: `${USE_AZURE_QUEUES}, or AzureWebJobsStorage to a connection string`,
    });
  }
  const parts = partsOf(connectionString);
  if (!isConnectionString(parts)) {
    return problem("AzureWebJobsStorage: expected a storage connection string", {
      hint: "copy it whole: DefaultEndpointsProtocol=…;AccountName=…;AccountKey=…",
    });
  }
  if (!development && isStorageEmulator(parts)) return emulatorRefused("AzureWebJobsStorage");
  if (!development && isPlainHttp(parts)) {
    return problem("AzureWebJobsStorage: expected https outside Development, got http", {
      hint: "copy the connection string from the portal",
    });
  }
  return { value: { kind: "connection_string", connectionString }, issues: [] };
}

interface IdentitySource {
  readonly setting: string;
  readonly prefix: string;
  readonly development: boolean;
}

function identity(given: Given, source: IdentitySource): Read<Identity> {
  const endpoint = given[source.setting] ?? "";
  const credential = given[`${source.prefix}__credential`];
  const clientId = given[`${source.prefix}__clientId`];
  const issues: Issue[] = [];
  const issue = addressIssue(source.setting, endpoint, source.development);
  if (issue !== undefined) issues.push(issue);
  if (credential !== undefined && credential.toLowerCase() !== "managedidentity") {
    issues.push({
      message: `${source.prefix}__credential: expected "managedidentity" or nothing`,
    });
  }
  if (issues.length > 0) return { issues };
  const managed = credential !== undefined || clientId !== undefined;
  const who = clientId === undefined ? {} : { clientId };
  return { value: { kind: "identity", endpoint, managed, ...who }, issues };
}

function addressIssue(setting: string, address: string, development: boolean): Issue | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return { message: `${setting}: expected an https URL`, hint: "copy it from the portal" };
  }
  if (development) return undefined;
  if (isEmulatorAddress(url)) return emulatorRefused(setting).issues[0];
  if (url.protocol === "https:") return undefined;
  return { message: `${setting}: expected https outside Development, got http` };
}

function isEmulatorAddress(url: URL): boolean {
  return isLoopback(url.hostname) || url.pathname.split("/").includes(STORAGE_EMULATOR_ACCOUNT);
}

/** A URL spells a host in one way: numbers in decimal, letters small, IPv6 at its shortest. */
function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/\.$/, "");
  const isLocalName = host === "localhost" || host.endsWith(".localhost");
  // An IPv4 address inside IPv6 is written with its four bytes as two groups: 7f00 is 127.0.
  const isMapped = /^\[::(?:ffff:)?7f[0-9a-f]{2}:/.test(host);
  const isAny = ["[::1]", "[::]", "0.0.0.0"].includes(host);
  return isLocalName || isMapped || isAny || host.startsWith("127.");
}

function partsOf(connectionString: string): ReadonlyMap<string, string> {
  const parts = connectionString.split(";").filter((part) => part.includes("="));
  return new Map(
    parts.map((part): [string, string] => {
      const at = part.indexOf("=");
      return [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()];
    }),
  );
}

function isConnectionString(parts: ReadonlyMap<string, string>): boolean {
  if (parts.get("usedevelopmentstorage")?.toLowerCase() === "true") return true;
  const signed = parts.has("accountname") && parts.has("accountkey");
  return signed || (parts.has("queueendpoint") && parts.has("sharedaccesssignature"));
}

function isStorageEmulator(parts: ReadonlyMap<string, string>): boolean {
  return (
    parts.has("usedevelopmentstorage") ||
    parts.get("accountname")?.toLowerCase() === STORAGE_EMULATOR_ACCOUNT ||
    parts.get("accountkey") === STORAGE_EMULATOR_KEY ||
    endpointsOf(parts).some(isEmulatorAddress)
  );
}

function isPlainHttp(parts: ReadonlyMap<string, string>): boolean {
  const isDefault = parts.get("defaultendpointsprotocol")?.toLowerCase() === "http";
  return isDefault || endpointsOf(parts).some(({ protocol }) => protocol !== "https:");
}

/** Those of blobs and tables too: the host itself uses them. */
function endpointsOf(parts: ReadonlyMap<string, string>): readonly URL[] {
  return [...parts]
    .filter(([name, value]) => name.endsWith("endpoint") && URL.canParse(value))
    .map(([, value]) => new URL(value));
}

function emulatorRefused(setting: string): Read<never> {
  return problem(`${setting}: names an emulator, which is accepted in Development only`, {
    hint: "name the real service, or set AZURE_FUNCTIONS_ENVIRONMENT=Development on your machine",
  });
}

function problem(message: string, more: { readonly hint: string }): Read<never> {
  return { issues: [{ message, ...more }] };
}
