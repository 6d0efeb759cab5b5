// One Cosmos DB client for the process, made at its first use; building this never connects and
// never throws. The SDK's own retries are off: cosmos-request.ts alone retries. Every HTTP request
// that leaves the process is reported to `onRequest`, those for metadata and query plans included.
import type { Container, CosmosClient, CosmosClientOptions, Plugin } from "@azure/cosmos";
import { WorkflowError } from "../core/error.ts";
import type { CosmosConnection } from "./connection-settings.ts";
import { credentialOf } from "./credential.ts";
import { failureOf, isRetriedBySdk, UnansweredRequest } from "./cosmos-failure.ts";

/**
 * `operation`: `<container>.create|read|replace|query|plan`, or `metadata.<kind>.<operation>`.
 * `outcome`: the HTTP status, or `lost` where no answer came. Must not throw.
 */
export type RequestHook = (operation: string, outcome: string, measured: Measured) => void;

export interface Measured {
  readonly ms: number;
  /** Request units, as the service says; the emulator says 1 or nothing. */
  readonly request_charge?: number;
}

export interface CosmosOptions {
  readonly connection: CosmosConnection;
  readonly database: string;
  readonly onRequest?: RequestHook;
  /** Bounds one request. Azure itself stops working on one after five seconds. */
  readonly requestTimeoutMs?: number;
}

export interface CosmosHandle {
  readonly database: string;
  client(): Promise<CosmosClient>;
  container(name: string): Promise<Container>;
  /** Drops the client with all it remembers of containers, after they were made anew. */
  reset(): void;
}

const REQUEST_TIMEOUT_MS = 10_000;
const PLAN_HEADER = "x-ms-cosmos-is-query-plan-request";
const CHARGE_HEADER = "x-ms-request-charge";

export function cosmosHandle(options: CosmosOptions): CosmosHandle {
  let made: Promise<CosmosClient> | undefined;
  const client = (): Promise<CosmosClient> => {
    made ??= connect(options).catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
  return {
    database: options.database,
    client,
    container: async (name) => (await client()).database(options.database).container(name),
    reset() {
      made?.then(
        (old) => {
          old.dispose();
        },
        () => undefined,
      );
      made = undefined;
    },
  };
}

async function connect(options: CosmosOptions): Promise<CosmosClient> {
  const { connection } = options;
  const { CosmosClient } = await import("@azure/cosmos");
  const access =
    connection.kind === "key"
      ? { key: connection.key }
      : { aadCredentials: await credentialOf(connection) };
  // `plugins` works but is not in the published type; it sees each request, hidden ones too.
  const settled: CosmosClientOptions & { readonly plugins: readonly object[] } = {
    endpoint: connection.endpoint,
    ...access,
    connectionPolicy: {
      requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      // An emulator names itself by an address that may not be the one we reach it by.
      enableEndpointDiscovery: connection.endpoint.startsWith("https:"),
      retryOptions: { maxRetryAttemptCount: 0 },
    },
    plugins: [{ on: "request", plugin: observer(options.onRequest) }],
  };
  const client = new CosmosClient(settled);
  await assertOneWriter(client);
  return client;
}

/**
 * Two regions that both accept writes both create entry n of a job, and one of them is dropped
 * later: no code of ours could keep a promise there. STORE_UNSUPPORTED, and asked again the next
 * time, for an account can be changed.
 */
async function assertOneWriter(client: CosmosClient): Promise<void> {
  const { resource } = await client.getDatabaseAccount();
  if (resource?.enableMultipleWritableLocations !== true) return;
  const message = "the account accepts writes in more than one region";
  throw new WorkflowError("STORE_UNSUPPORTED", message, { retryable: true });
}

function observer(onRequest: RequestHook | undefined): Plugin<unknown> {
  return async (context, _diagnostics, next) => {
    const operation = operationOf(context);
    const startedMs = performance.now();
    const measured = (headers: unknown): Measured => {
      return { ms: performance.now() - startedMs, ...chargeIn(headers) };
    };
    try {
      const response = await next(context);
      onRequest?.(operation, String(response.code ?? 200), measured(response.headers));
      return response;
    } catch (error) {
      const outcome = String(failureOf(error).status ?? "lost");
      onRequest?.(operation, outcome, measured(headersOf(error)));
      throw isRetriedBySdk(error) ? new UnansweredRequest(error) : error;
    }
  };
}

function headersOf(error: unknown): unknown {
  return typeof error === "object" && error !== null ? Reflect.get(error, "headers") : undefined;
}

function chargeIn(headers: unknown): Pick<Measured, "request_charge"> {
  if (typeof headers !== "object" || headers === null) return {};
  const charge = Number(Reflect.get(headers, CHARGE_HEADER));
  return Number.isFinite(charge) && charge > 0 ? { request_charge: charge } : {};
}

type Context = Parameters<Plugin<unknown>>[0];

function operationOf(context: Context): string {
  const kind = String(context.resourceType);
  const operation = String(context.operationType);
  if (kind !== "docs") return `metadata.${kind === "" ? "account" : kind}.${operation}`;
  const container = /\/colls\/([^/]+)/.exec(context.path ?? "")?.[1] ?? "unknown";
  const isPlan = context.headers?.[PLAN_HEADER] !== undefined;
  return `${decodeURIComponent(container)}.${isPlan ? "plan" : operation}`;
}
