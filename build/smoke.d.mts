export interface SmokeOptions {
  readonly url: string;
  /** A function key; without one every route but health refuses. */
  readonly key: string | undefined;
  /** Part of the idempotency key: one run is one job, however often it asks. */
  readonly runId: string;
  readonly say: (line: string) => void;
  readonly readyMs?: number;
  readonly endMs?: number;
  readonly pauseMs?: number;
}

/** An answer as it came; what is in it is not known. */
export interface SmokeAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export function smoke(options: SmokeOptions): Promise<boolean>;
