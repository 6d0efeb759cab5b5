// A folder of workflow files that a test writes, edits and asks through the catalog.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { FileCatalog } from "../../src/catalog/catalog.ts";
import { WorkflowError } from "../../src/core/error.ts";
import { handlersNamed } from "./parsed.ts";

const HANDLERS = handlersNamed("echo");
const folders: string[] = [];

/** For `afterEach`. */
export async function removeFolders(): Promise<void> {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
}

type Files = Readonly<Record<string, string | Uint8Array>>;

export class Folder {
  readonly path: string;
  readonly catalog: FileCatalog;
  now = 0;

  constructor(path: string) {
    this.path = path;
    const monotonicMs = () => this.now;
    this.catalog = new FileCatalog({ folder: path, handlers: HANDLERS, monotonicMs });
  }

  async write(files: Files): Promise<void> {
    for (const [file, content] of Object.entries(files)) {
      const path = join(this.path, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
    }
  }

  /** `id version file` of what is found, else the code and message. */
  async find(id: string, version?: number): Promise<string> {
    try {
      const entry = await this.catalog.find(id, version);
      return `${entry.workflow_id} ${entry.version} ${entry.file}`;
    } catch (error) {
      if (error instanceof WorkflowError) return `${error.code} ${error.message}`;
      throw error;
    }
  }

  async rows(): Promise<readonly string[]> {
    const rows = await this.catalog.list();
    return rows.map(({ file, status, workflow_id, version, is_active }) => {
      return `${file} ${status} ${workflow_id} ${version} ${is_active}`;
    });
  }
}

export async function folderWith(files: Files): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "holdfast-catalog-"));
  folders.push(path);
  const folder = new Folder(path);
  await folder.write(files);
  return folder;
}

export function yaml(id: string, version: number, more = ""): string {
  return `workflow_id: ${id}
version: ${version}
nodes:
  s: {type: start, next: e}
  e: {type: end}
${more}`;
}

export const INACTIVE = "is_active: false\n";
export const BROKEN = "nxt: 1\n";
