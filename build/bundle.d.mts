// What build/bundle.mjs offers to tests.

export interface Entry {
  readonly source: string;
  readonly target: string;
  readonly kind: "app" | "tool";
}

export const ENTRIES: readonly Entry[];

export function bundle(entry: Entry): Promise<string>;

export function definitionThread(): Promise<{
  readonly text: string;
  readonly inputs: readonly string[];
}>;

export function bundleAll(
  entries?: readonly Entry[],
): Promise<readonly { readonly target: string; readonly identity: string }[]>;
