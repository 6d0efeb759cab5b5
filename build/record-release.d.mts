// What build/record-release.mjs offers to tests.

export function bundleEngine(checkout: string, target: string, isTraced?: boolean): Promise<void>;

export function recordJobs(given: {
  readonly engine: string;
  readonly target: string;
  readonly release: string;
}): Promise<readonly string[]>;
