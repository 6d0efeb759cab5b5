// The workflow files of a folder, read again whenever they changed. Which files there are and what
// state they are in is asked of the disk each time; only changed content is read and parsed.
// A file that cannot be read or is no UTF-8 is reported like one that is no workflow.
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { KnownHandlers } from "../core/check-params.ts";
import { definitionDigest, type WorkflowDefinition } from "../core/definition.ts";
import { WorkflowError, type Issue } from "../core/error.ts";
import { MAX_SOURCE_BYTES } from "../core/limits.ts";
import { parseDefinition } from "../core/parse.ts";

export interface GoodFile {
  readonly kind: "good";
  /** The path inside the folder, with slashes. */
  readonly file: string;
  readonly definition: WorkflowDefinition;
  readonly workflow_digest: string;
  /** The exact text. */
  readonly source: string;
  /** `sha256:` of the file's bytes. */
  readonly source_digest: string;
}

export interface BrokenFile {
  readonly kind: "broken";
  readonly file: string;
  readonly issues: readonly Issue[];
  /** What the file says it is; else what it was when it could last be read. */
  readonly workflow_id?: string;
  readonly version?: number;
}

export type WorkflowFile = GoodFile | BrokenFile;

export interface WorkflowFolder {
  readonly folder: string;
  readonly handlers: KnownHandlers;
  /** Milliseconds that only go forward; the process's own by default. */
  readonly monotonicMs?: () => number;
}

interface Loaded {
  readonly signature: string;
  /** When this signature was first seen. */
  readonly since: number;
  readonly digest: string;
  readonly result: WorkflowFile;
}

/**
 * A file changed within this time may change again without a new time stamp: clocks of file
 * systems tick every 4 ms (ext4) to 2 s (FAT). Until then its content is compared.
 */
const SETTLING_MS = 3000;
const WORKFLOW_FILE = /\.ya?ml$/i;

export class WorkflowFiles {
  readonly #options: WorkflowFolder;
  #loaded: ReadonlyMap<string, Loaded> = new Map();
  #running: Promise<readonly WorkflowFile[]> | undefined;
  #next: Promise<readonly WorkflowFile[]> | undefined;

  constructor(options: WorkflowFolder) {
    this.#options = options;
  }

  /** Every file as it is now, by name. A look that began before the call does not answer it. */
  read(): Promise<readonly WorkflowFile[]> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  #start(): Promise<readonly WorkflowFile[]> {
    this.#next = undefined;
    this.#running = this.#look().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #look(): Promise<readonly WorkflowFile[]> {
    const names = await namesIn(this.#options.folder);
    const found = await Promise.all(names.map((name) => this.#one(name)));
    const present = found.filter((loaded) => loaded !== undefined);
    this.#loaded = new Map(present.map((loaded) => [loaded.result.file, loaded]));
    return present.map(({ result }) => result);
  }

  async #one(file: string): Promise<Loaded | undefined> {
    const path = join(this.#options.folder, file);
    const before = this.#loaded.get(file);
    const now = (this.#options.monotonicMs ?? monotonicMs)();
    try {
      const { mtimeNs, ctimeNs, size, ino } = await stat(path, { bigint: true });
      const signature = [mtimeNs, ctimeNs, size, ino].join(" ");
      const same = before?.signature === signature;
      if (same && now - before.since > SETTLING_MS) return before;
      const since = same ? before.since : now;
      // Nobody should read a gigabyte to learn that it is too large.
      const bytes = size > MAX_SOURCE_BYTES ? undefined : await readFile(path);
      const digest = bytes === undefined ? signature : sha256(bytes);
      if (before?.digest === digest) return { ...before, signature, since };
      const result = this.#parse(file, bytes, before?.result);
      return { signature, since, digest, result };
    } catch (error) {
      const code = codeOf(error);
      // Deleted since the folder was listed.
      if (code === "ENOENT") return undefined;
      const message = `the file cannot be read: ${code}`;
      const result = unreadable(file, { message }, before?.result);
      return { signature: "", since: now, digest: "", result };
    }
  }

  #parse(file: string, bytes: Buffer | undefined, before: WorkflowFile | undefined): WorkflowFile {
    if (bytes === undefined) {
      const message = `the file is too large, at most ${MAX_SOURCE_BYTES} bytes are allowed`;
      return unreadable(file, { message }, before);
    }
    const source = textOf(bytes);
    if (source === undefined) return unreadable(file, badByte(bytes), before);
    const parsed = parseDefinition(source, { file, handlers: this.#options.handlers });
    if (!parsed.ok) {
      const { issues, ok: _, ...said } = parsed;
      return { kind: "broken", file, issues, ...identityAfter(before, said) };
    }
    const { definition } = parsed;
    const workflow_digest = definitionDigest(definition, sha256Hex);
    const source_digest = sha256(bytes);
    return { kind: "good", file, definition, workflow_digest, source, source_digest };
  }
}

interface Identity {
  readonly workflow_id?: string;
  readonly version?: number;
}

function unreadable(
  file: string,
  issue: Issue,
  before: WorkflowFile | undefined,
): BrokenFile {
  return { kind: "broken", file, issues: [{ file, ...issue }], ...identityAfter(before, {}) };
}

/** What a broken file says counts; what it no longer says is as it was, for the same workflow. */
function identityAfter(before: WorkflowFile | undefined, said: Identity): Identity {
  if (before === undefined) return said;
  const { workflow_id, version } = before.kind === "good" ? before.definition : before;
  if (said.workflow_id !== undefined && said.workflow_id !== workflow_id) return said;
  return {
    ...(workflow_id === undefined ? {} : { workflow_id }),
    ...(version === undefined ? {} : { version }),
    ...said,
  };
}

/** Paths inside the folder, sorted; what begins with a dot is an editor's or a mount's business. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory() && WORKFLOW_FILE.test(entry.name))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
      .filter((name) => !/(^|\/)\./.test(name))
      .sort();
  } catch (error) {
    const message = `HOLDFAST_WORKFLOWS_DIR: the folder cannot be read: ${codeOf(error)}`;
    throw new WorkflowError("CONFIGURATION_INVALID", message, { cause: error });
  }
}

/** The text with its byte order mark, if any, so that it is exact; undefined for other bytes. */
function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The place of the first byte that is no UTF-8: where the lenient reading differs. */
function badByte(bytes: Buffer): Issue {
  const lenient = bytes.toString("utf8");
  const again = Buffer.from(lenient, "utf8");
  const offset = bytes.findIndex((byte, index) => byte !== again[index]);
  const lines = bytes.subarray(0, offset).toString("utf8").split("\n");
  const column = String(lines.at(-1)).length + 1;
  return { message: "expected UTF-8, found another byte", line: lines.length, column };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function monotonicMs(): number {
  return performance.now();
}
