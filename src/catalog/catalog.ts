// The catalog of workflow files: which definition a new job gets, and what stands in the folder.
// A broken file is never replaced by what it held before, and never hides the others: the workflow
// and version it is for answer DEFINITION_INVALID until it is mended. Every question looks at the
// files as they are now; jobs in flight ask nothing here.
import { WorkflowError } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";
import { listNames } from "../core/text.ts";
import type {
  CatalogEntry,
  CatalogRow,
  DefinitionCatalog,
} from "../runtime/definition-catalog.ts";
import { WorkflowFiles } from "./workflow-files.ts";
import type { BrokenFile, GoodFile, WorkflowFile, WorkflowFolder } from "./workflow-files.ts";

/** What the runtime pins, and where it came from. */
export interface FileEntry extends CatalogEntry {
  readonly workflow_id: string;
  readonly version: number;
  readonly file: string;
}

export class FileCatalog implements DefinitionCatalog {
  readonly #files: WorkflowFiles;

  constructor(options: WorkflowFolder) {
    this.#files = new WorkflowFiles(options);
  }

  /**
   * The definition for a new job; without `version` the highest active one.
   * Errors: WORKFLOW_NOT_FOUND, WORKFLOW_INACTIVE, VERSION_CONFLICT (two files, one version),
   * DEFINITION_INVALID with the issues of the broken file that may hold what is asked for.
   */
  async find(workflowId: string, version?: number): Promise<FileEntry> {
    const files = await this.#files.read();
    return version === undefined ? newest(files, workflowId) : exact(files, workflowId, version);
  }

  /**
   * Every file, by id, version and name; broken ones with their issues. `conflict`: another file
   * gives the same version other content; `duplicate`: a file before it has the same content.
   */
  async list(): Promise<readonly CatalogRow[]> {
    const files = await this.#files.read();
    return files.map((file) => rowOf(file, files)).sort(byIdentity);
  }

  /** The rows of one workflow; empty where no file is for it. */
  async versions(workflowId: string): Promise<readonly CatalogRow[]> {
    const rows = await this.list();
    return rows.filter((row) => row.workflow_id === workflowId);
  }
}

function exact(
  files: readonly WorkflowFile[],
  workflowId: string,
  version: number,
): FileEntry {
  const { good, broken } = filesFor(files, workflowId);
  const suspects = broken.filter((file) => file.version === version);
  if (suspects.length > 0) throw invalid(workflowId, suspects);
  const [first, ...others] = good.filter((file) => file.definition.version === version);
  if (first !== undefined) return activeOf(first, others);
  const unknown = broken.filter((file) => file.version === undefined);
  if (unknown.length > 0) throw invalid(workflowId, unknown);
  if (good.length === 0 && broken.length === 0) throw unknownWorkflow(files, workflowId);
  const versions = [...new Set(good.map((file) => file.definition.version))].sort((a, b) => a - b);
  const found = versions.length === 0 ? "none" : listNames(versions.map(String));
  const message = `workflow "${workflowId}" has no version ${version}, found ${found}`;
  throw new WorkflowError("WORKFLOW_NOT_FOUND", message);
}

function newest(files: readonly WorkflowFile[], workflowId: string): FileEntry {
  const { good, broken } = filesFor(files, workflowId);
  if (good.length === 0 && broken.length === 0) throw unknownWorkflow(files, workflowId);
  const highest = Math.max(0, ...good.filter(isActive).map((file) => file.definition.version));
  // A broken file may hold the newest version: an older one in its place would be a lie.
  const suspects = broken.filter((file) => (file.version ?? Infinity) >= highest);
  if (suspects.length > 0) throw invalid(workflowId, suspects);
  const [first, ...others] = good.filter((file) => file.definition.version === highest);
  if (first !== undefined) return activeOf(first, others);
  throw inactive(`workflow "${workflowId}" is not active in any version`);
}

interface Found {
  readonly good: readonly GoodFile[];
  readonly broken: readonly BrokenFile[];
}

function filesFor(files: readonly WorkflowFile[], workflowId: string): Found {
  const good: GoodFile[] = [];
  const broken: BrokenFile[] = [];
  for (const file of files) {
    if (file.kind === "good") {
      if (file.definition.workflow_id === workflowId) good.push(file);
    } else if (isFor(file, workflowId)) broken.push(file);
  }
  return { good, broken };
}

/** A file that does not say which workflow it is may be the one that it is named after. */
function isFor(file: BrokenFile, workflowId: string): boolean {
  if (file.workflow_id !== undefined) return file.workflow_id === workflowId;
  const name = file.file.slice(file.file.lastIndexOf("/") + 1);
  return name.split(".")[0] === workflowId;
}

/** The one definition of several files for one version; active if all of them say so. */
function activeOf(first: GoodFile, others: readonly GoodFile[]): FileEntry {
  const other = others.find((file) => file.workflow_digest !== first.workflow_digest);
  if (other !== undefined) throw conflict(first, other);
  const { definition, workflow_digest, source, source_digest, file } = first;
  const { workflow_id, version } = definition;
  const off = [first, ...others].find((one) => !isActive(one));
  if (off !== undefined) {
    throw inactive(`workflow "${workflow_id}" version ${version} is not active: ${off.file}`);
  }
  return { workflow_id, version, definition, workflow_digest, source, source_digest, file };
}

function isActive(file: GoodFile): boolean {
  return file.definition.is_active;
}

function inactive(message: string): WorkflowError {
  return new WorkflowError("WORKFLOW_INACTIVE", message);
}

function invalid(workflowId: string, files: readonly BrokenFile[]): WorkflowError {
  const names = files.map(({ file }) => file).join(", ");
  const message = `workflow "${workflowId}": not a valid definition: ${names}`;
  const issues = files.flatMap((file) => file.issues);
  return new WorkflowError("DEFINITION_INVALID", message, { issues });
}

function conflict(first: GoodFile, other: GoodFile): WorkflowError {
  const { workflow_id, version } = first.definition;
  const files = `${first.file} and ${other.file}`;
  const message = `workflow "${workflow_id}" version ${version} has different content in ${files}`;
  const facts = {
    workflow_id,
    version,
    file: first.file,
    workflow_digest: first.workflow_digest,
    other_file: other.file,
    other_workflow_digest: other.workflow_digest,
  };
  return new WorkflowError("VERSION_CONFLICT", message, { facts });
}

function unknownWorkflow(files: readonly WorkflowFile[], workflowId: string): WorkflowError {
  const good = files.filter((file) => file.kind === "good");
  const meant = nearest(workflowId, good.map(({ definition }) => definition.workflow_id));
  const hint = meant === undefined ? "" : `, did you mean "${meant}"?`;
  const message = `no workflow file is for "${workflowId}"${hint}`;
  return new WorkflowError("WORKFLOW_NOT_FOUND", message);
}

function rowOf(file: WorkflowFile, files: readonly WorkflowFile[]): CatalogRow {
  if (file.kind === "broken") {
    const { kind: _, ...rest } = file;
    return { ...rest, status: "invalid" };
  }
  const { definition, workflow_digest, source_digest } = file;
  const { workflow_id, version, name, description, is_active } = definition;
  return {
    file: file.file,
    workflow_id,
    version,
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    is_active,
    workflow_digest,
    source_digest,
    ...standing(file, files),
  };
}

/** How a file stands to the others that hold its version. */
function standing(
  file: GoodFile,
  files: readonly WorkflowFile[],
): Pick<CatalogRow, "status" | "issues"> {
  const { workflow_id, version } = file.definition;
  const twins = filesFor(files, workflow_id).good.filter(
    (one) => one !== file && one.definition.version === version,
  );
  const at = { file: file.file };
  const other = twins.find((one) => one.workflow_digest !== file.workflow_digest);
  if (other !== undefined) {
    const message = `version ${version} has other content in ${other.file}`;
    const hint = "raise the version of the newer one";
    return { status: "conflict", issues: [{ ...at, message, hint }] };
  }
  const same = twins.find((one) => one.file < file.file);
  if (same === undefined) return { status: "ok", issues: [] };
  const message = `version ${version} has the same content in ${same.file}`;
  return { status: "duplicate", issues: [{ ...at, message, hint: "delete one of the two" }] };
}

function byIdentity(a: CatalogRow, b: CatalogRow): number {
  const [one, other] = [a.workflow_id ?? "", b.workflow_id ?? ""];
  if (one !== other) return one < other ? -1 : 1;
  return (a.version ?? 0) - (b.version ?? 0) || (a.file < b.file ? -1 : 1);
}
