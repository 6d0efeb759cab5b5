// What build/web.mjs offers to tests.

export const PAGE_FILES: Readonly<
  Record<"index.html" | "app.js" | "app.css" | "favicon.svg", string>
>;

export function writePage(options: {
  readonly root: string;
  readonly folder: string;
}): Promise<readonly string[]>;
