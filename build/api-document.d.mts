// What build/api-document.mjs offers to the build and to tests.

export function writeApiDocument(options: {
  readonly root: string;
  readonly version: string;
  readonly folder: string;
}): Promise<readonly string[]>;
