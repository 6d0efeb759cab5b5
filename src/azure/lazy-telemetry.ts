// A telemetry sink that is loaded behind the app's start: until then what is told is kept, up to a
// bound. Where loading fails everything is dropped, after saying so once: telemetry stops nothing.
import type { TelemetrySink } from "../runtime/telemetry.ts";

export interface LazyTelemetryOptions {
  readonly load: () => Promise<TelemetrySink>;
  /** Told once, why nothing will be sent. */
  readonly onFailure: (error: unknown) => void;
  /** Calls `work` when the process has nothing better to do. */
  readonly later: (work: () => void) => void;
}

/** A start says far less. */
const MAX_KEPT = 2_000;

export function lazySink({ load, onFailure, later }: LazyTelemetryOptions): TelemetrySink {
  let sink: TelemetrySink | undefined;
  let kept: ((loaded: TelemetrySink) => void)[] = [];
  let isLost = false;
  const loading = new Promise<void>((resolve) => {
    later(() => {
      void load()
        .then((loaded) => {
          sink = loaded;
          for (const tell of kept) tell(loaded);
        })
        .catch((error: unknown) => {
          isLost = true;
          onFailure(error);
        })
        .finally(() => {
          kept = [];
          resolve();
        });
    });
  });
  const told = (tell: (loaded: TelemetrySink) => void): void => {
    if (sink !== undefined) tell(sink);
    else if (!isLost && kept.length < MAX_KEPT) kept.push(tell);
  };
  return {
    span: (span) => told((loaded) => loaded.span(span)),
    measure: (metric, value, facts) => told((loaded) => loaded.measure(metric, value, facts)),
    log: (record) => told((loaded) => loaded.log(record)),
    async flush() {
      await loading;
      await sink?.flush();
    },
  };
}
