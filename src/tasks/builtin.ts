// The handlers that every build has, in one list.
// Only composition.ts calls this; it says where HTTP may go and what the time is.
import type { Handler } from "../runtime/handlers.ts";
import type { Clock } from "../runtime/ports.ts";
import { check } from "./check.ts";
import { chunk } from "./chunk.ts";
import { echo } from "./echo.ts";
import { fail } from "./fail.ts";
import { flakyEcho } from "./flaky-echo.ts";
import { helloWorld } from "./hello-world.ts";
import { httpRequestHandler } from "./http-request.ts";
import type { HttpOptions } from "./http-request.ts";
import { parseCsv } from "./parse-csv.ts";
import { sleepHandler } from "./sleep.ts";
import { transform } from "./transform.ts";

export interface BuiltinOptions {
  readonly http: HttpOptions;
  readonly clock: Clock;
}

/** Errors: CONFIGURATION_INVALID for an entry of `http.allow` that is no host. */
export function builtinHandlers(options: BuiltinOptions): readonly Handler[] {
  return [
    check,
    chunk,
    echo,
    fail,
    flakyEcho,
    helloWorld,
    httpRequestHandler(options.http, options.clock),
    parseCsv,
    sleepHandler(options.clock),
    transform,
  ];
}
