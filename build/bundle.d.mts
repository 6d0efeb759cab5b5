// What build/bundle.mjs offers to tests.

export interface Entry {
  readonly source: string;
  readonly target: string;
  readonly kind: "app" | "tool";
}

export const ENTRIES: readonly Entry[];

/** Files beside the app's bundle, each compiled when something in it is imported first. */
export const CHUNKS: readonly { readonly file: string; readonly names: readonly string[] }[];

export function bundle(entry: Entry): Promise<string>;

export function definitionThread(): Promise<{
  readonly text: string;
  readonly inputs: readonly string[];
}>;

export function bundleAll(
  entries?: readonly Entry[],
): Promise<readonly { readonly target: string; readonly identity: string }[]>;
