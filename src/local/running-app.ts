// What the HTTP face needs of a running host, and one request with its answer: the seam between
// the server and the invocations behind it.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { AppFunction } from "./app-loader.ts";
import type { Environment, HostSettings } from "./host-json.ts";
import type { HostLog } from "./host-log.ts";
import type { Keys } from "./http-keys.ts";
import type { HttpRoute } from "./http-routes.ts";
import type { Invoker } from "./invocation.ts";

export interface RunningApp {
  readonly routes: readonly HttpRoute[];
  readonly functions: readonly AppFunction[];
  readonly invoker: Invoker;
  readonly settings: HostSettings;
  readonly env: Environment;
  /** Starts a queue or timer function with `input`; resolves when it has ended. */
  readonly trigger: (target: AppFunction, input: string) => Promise<void>;
}

export interface HttpHost {
  readonly keys: Keys;
  readonly log: HostLog;
  readonly bodyLimitBytes: number;
  /** Undefined while the host is starting or stopping. */
  current(): RunningApp | undefined;
}

export interface Exchange {
  readonly host: HttpHost;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}
