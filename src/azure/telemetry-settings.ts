// Where telemetry goes: Application Insights, an OpenTelemetry collector, both, or nowhere. The
// settings are those that the Functions host and OpenTelemetry read as well, so that one setting
// switches both on. Called by settings.ts alone; no issue repeats a value.
import type { Issue } from "../core/error.ts";
import type { Identity } from "./connection-settings.ts";

export interface TelemetrySettings {
  readonly azureMonitor?: {
    readonly connectionString: string;
    /** Absent: the connection string is enough, as on a component with local auth. */
    readonly identity?: Pick<Identity, "managed" | "clientId">;
  };
  readonly otlp?: {
    /** Base of the signals' paths, without a slash at the end. */
    readonly endpoint: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  /** `service.name`: the cloud role in Application Insights. */
  readonly service: string;
  /** `service.instance.id`; absent where the platform names none. */
  readonly instance?: string;
}

type Given = Readonly<Record<string, string>>;

const CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING";
const AUTHENTICATION = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";
const ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT";
const HEADERS = "OTEL_EXPORTER_OTLP_HEADERS";
const PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL";

const KEY = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(.*)$/;

export interface TelemetryRead {
  /** Absent: telemetry is off. */
  readonly value?: TelemetrySettings;
  readonly issues: readonly Issue[];
}

export function telemetrySettings(given: Given): TelemetryRead {
  const azureMonitor = azureMonitorOf(given);
  const otlp = otlpOf(given);
  const issues = [...azureMonitor.issues, ...otlp.issues];
  if (issues.length > 0) return { issues };
  if (azureMonitor.value === undefined && otlp.value === undefined) return { issues };
  const instance = given["WEBSITE_INSTANCE_ID"];
  return {
    issues,
    value: {
      ...(azureMonitor.value === undefined ? {} : { azureMonitor: azureMonitor.value }),
      ...(otlp.value === undefined ? {} : { otlp: otlp.value }),
      service: given["OTEL_SERVICE_NAME"] ?? given["WEBSITE_SITE_NAME"] ?? "holdfast",
      ...(instance === undefined ? {} : { instance }),
    },
  };
}

interface Read<T> {
  readonly value?: T;
  readonly issues: readonly Issue[];
}

function azureMonitorOf(given: Given): Read<NonNullable<TelemetrySettings["azureMonitor"]>> {
  const connectionString = given[CONNECTION];
  const authentication = given[AUTHENTICATION];
  if (connectionString === undefined) return { issues: [] };
  const parts = pairsOf(connectionString);
  const issues: Issue[] = [];
  if (!KEY.test(parts.get("instrumentationkey") ?? "")) {
    issues.push({
      message: `${CONNECTION}: expected InstrumentationKey=<a GUID> among its parts`,
      hint: "copy it whole from the Application Insights component",
    });
  }
  const ingestion = parts.get("ingestionendpoint");
  if (ingestion !== undefined && !isHttpUrl(ingestion)) {
    issues.push({ message: `${CONNECTION}: expected a URL behind IngestionEndpoint=` });
  }
  if (authentication === undefined) {
    return issues.length > 0 ? { issues } : { value: { connectionString }, issues };
  }
  const auth = pairsOf(authentication);
  if (auth.get("authorization")?.toUpperCase() !== "AAD") {
    issues.push({
      message: `${AUTHENTICATION}: expected Authorization=AAD, with ClientId=<id> for an identity`,
    });
  }
  if (issues.length > 0) return { issues };
  const clientId = auth.get("clientid");
  const identity = { managed: true, ...(clientId === undefined ? {} : { clientId }) };
  return { value: { connectionString, identity }, issues };
}

function otlpOf(given: Given): Read<NonNullable<TelemetrySettings["otlp"]>> {
  const endpoint = given[ENDPOINT];
  if (endpoint === undefined) return { issues: [] };
  const issues: Issue[] = [];
  if (!isHttpUrl(endpoint)) {
    issues.push({ message: `${ENDPOINT}: expected the http or https URL of a collector` });
  }
  const protocol = given[PROTOCOL];
  if (protocol !== undefined && protocol !== "http/protobuf") {
    issues.push({
      message: `${PROTOCOL}: expected "http/protobuf" or nothing`,
      hint: "collectors take it on port 4318; the Functions host speaks it too",
    });
  }
  const headers: Record<string, string> = {};
  for (const pair of listOf(given[HEADERS] ?? "")) {
    const [, name, value] = HEADER.exec(pair) ?? [];
    const text = decoded(value);
    if (name === undefined || text === undefined) {
      issues.push({ message: `${HEADERS}: expected name=value pairs with commas between them` });
      break;
    }
    headers[name] = text;
  }
  if (issues.length > 0) return { issues };
  return { value: { endpoint: endpoint.replace(/\/+$/, ""), headers }, issues };
}

/** OpenTelemetry has header values percent-encoded. */
function decoded(value: string | undefined): string | undefined {
  try {
    return value === undefined ? undefined : decodeURIComponent(value.trim());
  } catch {
    return undefined;
  }
}

function listOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** `A=b;C=d`, names in small letters. */
function pairsOf(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(";").map((part): [string, string] => {
    const at = part.indexOf("=");
    return [part.slice(0, Math.max(0, at)).trim().toLowerCase(), part.slice(at + 1).trim()];
  });
  return new Map(pairs);
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol } = new URL(text);
  return protocol === "https:" || protocol === "http:";
}
