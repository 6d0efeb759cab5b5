// The catalog over a real folder: what is found, what is refused, and that edits are seen at once.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import {
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { FileCatalog } from "../../../src/catalog/catalog.ts";
import { WorkflowError } from "../../../src/core/error.ts";

const HANDLERS = new Set(["echo"]);
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

type Files = Readonly<Record<string, string | Uint8Array>>;

class Folder {
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
      expect(entry.definition.workflow_id).toBe(entry.workflow_id);
      expect(entry.definition.version).toBe(entry.version);
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

async function folderWith(files: Files): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "holdfast-catalog-"));
  folders.push(path);
  const folder = new Folder(path);
  await folder.write(files);
  return folder;
}

function yaml(id: string, version: number, more = ""): string {
  return `workflow_id: ${id}
version: ${version}
nodes:
  s: {type: start, next: e}
  e: {type: end}
${more}`;
}

const INACTIVE = "is_active: false\n";
const BROKEN = "nxt: 1\n";

describe("find", () => {
  test("gives the definition, its digests and the exact text", async () => {
    const text = `# comment\r\n${yaml("a", 1)}`;
    const { catalog } = await folderWith({ "sub/a.yaml": text });
    const entry = await catalog.find("a");
    expect(entry).toMatchObject({ workflow_id: "a", version: 1, file: "sub/a.yaml" });
    expect(entry.source).toBe(text);
    const sha = createHash("sha256").update(text).digest("hex");
    expect(entry.source_digest).toBe(`sha256:${sha}`);
    expect(entry.workflow_digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(entry.definition.nodes["s"]).toEqual({ type: "start", next: ["e"] });
  });

  test("a byte order mark belongs to the text and not to the definition", async () => {
    const folder = await folderWith({ "a.yaml": `\uFEFF${yaml("a", 1)}`, "b.yaml": yaml("a", 2) });
    const { catalog } = folder;
    const entry = await catalog.find("a", 1);
    expect(entry.source.charCodeAt(0)).toBe(0xfeff);
    const bytes = await readFile(join(folder.path, "a.yaml"));
    const sha = createHash("sha256").update(bytes).digest("hex");
    expect(entry.source_digest).toBe(`sha256:${sha}`);
  });

  test("without a version takes the highest active one", async () => {
    const folder = await folderWith({
      "a.v1.yaml": yaml("a", 1),
      "a.v10.yml": yaml("a", 10),
      "a.v9.YAML": yaml("a", 9),
      "a.v11.yaml": yaml("a", 11, INACTIVE),
      "b.yaml": yaml("b", 20),
    });
    expect(await folder.find("a")).toBe("a 10 a.v10.yml");
    expect(await folder.find("a", 9)).toBe("a 9 a.v9.YAML");
    expect(await folder.find("a", 11)).toBe(
      'WORKFLOW_INACTIVE workflow "a" version 11 is not active: a.v11.yaml',
    );
  });

  test("tells what is unknown", async () => {
    const folder = await folderWith({ "a.yaml": yaml("orders", 2), "b.yaml": yaml("orders", 1) });
    expect(await folder.find("order")).toBe(
      'WORKFLOW_NOT_FOUND no workflow file is for "order", did you mean "orders"?',
    );
    expect(await folder.find("x", 3)).toBe('WORKFLOW_NOT_FOUND no workflow file is for "x"');
    expect(await folder.find("orders", 3)).toBe(
      'WORKFLOW_NOT_FOUND workflow "orders" has no version 3, found 1, 2',
    );
  });

  test("tells that no version is active", async () => {
    const folder = await folderWith({ "a.yaml": yaml("a", 1, INACTIVE) });
    expect(await folder.find("a")).toBe(
      'WORKFLOW_INACTIVE workflow "a" is not active in any version',
    );
  });

  test("refuses two files for one version with both digests and names", async () => {
    const folder = await folderWith({
      "x.yaml": yaml("a", 1),
      "y.yaml": yaml("a", 1, "name: other\n"),
      "z.yaml": yaml("a", 2),
    });
    const error: unknown = await folder.catalog.find("a", 1).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(WorkflowError);
    if (!(error instanceof WorkflowError)) return;
    expect(error.code).toBe("VERSION_CONFLICT");
    expect(error.message).toBe(
      'workflow "a" version 1 has different content in x.yaml and y.yaml',
    );
    expect(error.facts).toMatchObject({ file: "x.yaml", other_file: "y.yaml" });
    expect(error.facts["workflow_digest"]).not.toBe(error.facts["other_workflow_digest"]);
    expect(await folder.find("a")).toBe("a 2 z.yaml");
    await folder.write({ "z2.yaml": yaml("a", 2, "name: z\n") });
    expect(await folder.find("a")).toMatch(/^VERSION_CONFLICT /);
  });

  test("the same content twice is one version, active if both files say so", async () => {
    const folder = await folderWith({ "x.yaml": yaml("a", 1), "y.yaml": `# y\n${yaml("a", 1)}` });
    expect(await folder.find("a")).toBe("a 1 x.yaml");
    await folder.write({ "y.yaml": yaml("a", 1, INACTIVE) });
    expect(await folder.find("a", 1)).toBe(
      'WORKFLOW_INACTIVE workflow "a" version 1 is not active: y.yaml',
    );
    expect(await folder.find("a")).toMatch(/^WORKFLOW_INACTIVE /);
  });
});

describe("a broken file", () => {
  test("answers for its version with its issues and hides nothing else", async () => {
    const folder = await folderWith({
      "a1.yaml": yaml("a", 1),
      "a2.yaml": yaml("a", 2, BROKEN),
      "b.yaml": yaml("b", 1),
    });
    expect(await folder.find("b")).toBe("b 1 b.yaml");
    expect(await folder.find("a", 1)).toBe("a 1 a1.yaml");
    expect(await folder.find("a", 2)).toBe(
      'DEFINITION_INVALID workflow "a": not a valid definition: a2.yaml',
    );
    const error: unknown = await folder.catalog.find("a").catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: "DEFINITION_INVALID",
      issues: [{ file: "a2.yaml", line: 6, column: 1 }],
    });
  });

  test("of an older version stands in nobody's way", async () => {
    const folder = await folderWith({ "1.yaml": yaml("a", 1, BROKEN), "2.yaml": yaml("a", 2) });
    expect(await folder.find("a")).toBe("a 2 2.yaml");
    await folder.write({ "3.yaml": yaml("a", 3, INACTIVE) });
    expect(await folder.find("a")).toBe("a 2 2.yaml");
  });

  test("beside a good file for the same version answers for it", async () => {
    const folder = await folderWith({ "1.yaml": yaml("a", 1), "2.yaml": yaml("a", 1, BROKEN) });
    expect(await folder.find("a", 1)).toMatch(/^DEFINITION_INVALID .*: 2.yaml$/);
    expect(await folder.find("a")).toMatch(/^DEFINITION_INVALID /);
  });

  test("without a readable version may be the newest, but not a version that is there", async () => {
    const folder = await folderWith({ "1.yaml": yaml("a", 1), "2.yaml": "workflow_id: a\n" });
    expect(await folder.find("a")).toMatch(/^DEFINITION_INVALID .*: 2.yaml$/);
    expect(await folder.find("a", 1)).toBe("a 1 1.yaml");
    expect(await folder.find("a", 2)).toMatch(/^DEFINITION_INVALID /);
  });

  test("is never replaced by what it held before", async () => {
    const folder = await folderWith({ "a.yaml": yaml("a", 3) });
    expect(await folder.find("a")).toBe("a 3 a.yaml");
    for (const text of ["", "workflow_id: a", yaml("a", 3).slice(0, 60), "\tx", "{"]) {
      await folder.write({ "a.yaml": text });
      expect(await folder.find("a")).toMatch(/^DEFINITION_INVALID /);
      expect(await folder.find("a", 3)).toMatch(/^DEFINITION_INVALID /);
    }
    // As it says nothing of a version, it is still taken for version 3.
    expect(await folder.find("a", 4)).toBe(
      'WORKFLOW_NOT_FOUND workflow "a" has no version 4, found none',
    );
    await folder.write({ "a.yaml": yaml("a", 4) });
    expect(await folder.find("a")).toBe("a 4 a.yaml");
  });

  test("that names another workflow is for that one", async () => {
    const folder = await folderWith({ "x.yaml": yaml("a", 3) });
    expect(await folder.find("a")).toBe("a 3 x.yaml");
    await folder.write({ "x.yaml": yaml("b", 1, BROKEN) });
    expect(await folder.find("b", 1)).toMatch(/^DEFINITION_INVALID /);
    expect(await folder.find("b", 3)).toMatch(/^WORKFLOW_NOT_FOUND /);
    expect(await folder.find("a")).toMatch(/^WORKFLOW_NOT_FOUND /);
  });

  test("that says nothing, and never did, is for the workflow in its name", async () => {
    const folder = await folderWith({ "sub/orders.v2.yaml": "", "other.yaml": "" });
    expect(await folder.find("orders")).toBe(
      'DEFINITION_INVALID workflow "orders": not a valid definition: sub/orders.v2.yaml',
    );
    expect(await folder.find("sub")).toMatch(/^WORKFLOW_NOT_FOUND /);
  });

  test("with bytes that are no UTF-8 is placed at the first of them", async () => {
    const bytes = Buffer.concat([Buffer.from("# ok\n# é "), Buffer.from([0xc3, 0x28, 0xff])]);
    const folder = await folderWith({ "a.yaml": bytes });
    const [row] = await folder.catalog.list();
    expect(row?.issues).toEqual([
      { file: "a.yaml", line: 2, column: 5, message: "expected UTF-8, found another byte" },
    ]);
  });

  test("that is too large is not read, until it is smaller", async () => {
    const folder = await folderWith({ "a.yaml": yaml("a", 1, `# ${"x".repeat(65_536)}\n`) });
    const [row] = await folder.catalog.list();
    expect(row?.issues).toEqual([
      { file: "a.yaml", message: "the file is too large, at most 65536 bytes are allowed" },
    ]);
    await folder.write({ "a.yaml": yaml("a", 1) });
    expect(await folder.find("a")).toBe("a 1 a.yaml");
  });

  test("that cannot be read is told", async () => {
    const folder = await folderWith({ "a.yaml": yaml("a", 1) });
    expect(await folder.find("a")).toBe("a 1 a.yaml");
    await rm(join(folder.path, "a.yaml"));
    await symlink("a.yaml", join(folder.path, "a.yaml"));
    const error: unknown = await folder.catalog.find("a").catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: "DEFINITION_INVALID",
      issues: [{ file: "a.yaml", message: "the file cannot be read: ELOOP" }],
    });
    await rm(join(folder.path, "a.yaml"));
    await folder.write({ "a.yaml": yaml("a", 1) });
    expect(await folder.find("a")).toBe("a 1 a.yaml");
  });
});

describe("the very next question sees", () => {
  test("an edit, a new file, a deletion and a renaming", async () => {
    const folder = await folderWith({ "a.yaml": yaml("a", 1) });
    expect(await folder.find("a")).toBe("a 1 a.yaml");
    await folder.write({ "a.yaml": yaml("a", 2) });
    expect(await folder.find("a")).toBe("a 2 a.yaml");
    expect(await folder.find("a", 1)).toMatch(/^WORKFLOW_NOT_FOUND /);
    await folder.write({ "deep/er/b.yaml": yaml("b", 1) });
    expect(await folder.find("b")).toBe("b 1 deep/er/b.yaml");
    await rename(join(folder.path, "a.yaml"), join(folder.path, "c.yaml"));
    expect(await folder.find("a")).toBe("a 2 c.yaml");
    await rm(join(folder.path, "c.yaml"));
    expect(await folder.find("a")).toBe('WORKFLOW_NOT_FOUND no workflow file is for "a"');
  });

  test("an edit of the same length within one tick of the file system's clock", async () => {
    const folder = await folderWith({ "a.yaml": yaml("a", 1) });
    const path = join(folder.path, "a.yaml");
    const time = new Date("2024-01-01T00:00:00Z");
    await utimes(path, time, time);
    expect(await folder.find("a")).toBe("a 1 a.yaml");
    for (let version = 2; version < 9; version += 1) {
      await writeFile(path, yaml("a", version));
      await utimes(path, time, time);
      expect(await folder.find("a")).toBe(`a ${version} a.yaml`);
    }
  });

  test("a change although another look is under way", async () => {
    const folder = await folderWith({ "a.yaml": yaml("a", 1) });
    for (let version = 2; version < 20; version += 1) {
      const early = Array.from({ length: 3 }, () => folder.find("a"));
      await folder.write({ "a.yaml": yaml("a", version) });
      const late = await Promise.all(Array.from({ length: 3 }, () => folder.find("a")));
      expect(new Set(late)).toEqual(new Set([`a ${version} a.yaml`]));
      await Promise.all(early);
    }
  });
});

test("an unchanged file is parsed once, before and after it has settled", async () => {
  const folder = await folderWith({ "a.yaml": yaml("a", 1), "b.yaml": yaml("b", 1) });
  const first = await folder.catalog.find("a");
  for (const now of [2000, 3001, 9000]) {
    folder.now = now;
    await folder.write({ "b.yaml": yaml("b", now) });
    expect((await folder.catalog.find("a")).definition).toBe(first.definition);
  }
  // Written again with the same content, and only touched.
  await folder.write({ "a.yaml": yaml("a", 1) });
  expect((await folder.catalog.find("a")).definition).toBe(first.definition);
  folder.now = 20_000;
  await utimes(join(folder.path, "a.yaml"), 1, 1);
  expect((await folder.catalog.find("a")).definition).toBe(first.definition);
});

test("files of other kinds and hidden ones are no workflows", async () => {
  const folder = await folderWith({
    "a.yaml": yaml("a", 1),
    "a.json": "{}",
    "yaml": "x",
    ".b.yaml": yaml("b", 1),
    ".git/c.yaml": yaml("c", 1),
    "a.yaml~": "x",
    "d.yaml.swp": "x",
  });
  await mkdir(join(folder.path, "dir.yaml"));
  await symlink("a.yaml", join(folder.path, "link.yml"));
  expect(await folder.rows()).toEqual(["a.yaml ok a 1 true", "link.yml duplicate a 1 true"]);
});

test("a list has every file, by workflow and version, with what is wrong", async () => {
  const folder = await folderWith({
    "z.yaml": yaml("a", 10, "name: Ten\ndescription: The tenth.\n"),
    "b1.yaml": yaml("b", 1),
    "b2.yaml": yaml("b", 1, "name: other\n"),
    "c.yaml": yaml("c", 1, INACTIVE),
    "d.yaml": yaml("a", 9, BROKEN),
    "e.yaml": "{",
    "f.yaml": yaml("c", 1),
  });
  expect(await folder.rows()).toEqual([
    "e.yaml invalid undefined undefined undefined",
    "d.yaml invalid a 9 undefined",
    "z.yaml ok a 10 true",
    "b1.yaml conflict b 1 true",
    "b2.yaml conflict b 1 true",
    "c.yaml ok c 1 false",
    "f.yaml duplicate c 1 true",
  ]);
  const rows = await folder.catalog.versions("b");
  expect(rows.map(({ issues }) => issues)).toEqual([
    [
      {
        file: "b1.yaml",
        message: "version 1 has other content in b2.yaml",
        hint: "raise the version of the newer one",
      },
    ],
    [
      {
        file: "b2.yaml",
        message: "version 1 has other content in b1.yaml",
        hint: "raise the version of the newer one",
      },
    ],
  ]);
  const [ten] = (await folder.catalog.versions("a")).slice(1);
  expect(ten).toMatchObject({ name: "Ten", description: "The tenth.", issues: [] });
  expect(await folder.catalog.versions("nope")).toEqual([]);
  expect(JSON.stringify(await folder.catalog.list())).not.toContain("nodes:");
});

test("a missing folder is a fault of the set-up, until it is there", async () => {
  const parent = await folderWith({});
  const folder = new Folder(join(parent.path, "later"));
  expect(await folder.find("a")).toMatch(/^CONFIGURATION_INVALID .*later" cannot be read: ENOENT$/);
  expect(existsSync(folder.path)).toBe(false);
  await folder.write({ "a.yaml": yaml("a", 1) });
  expect(await folder.find("a")).toBe("a 1 a.yaml");
});

test("200 files are looked at in little time", async () => {
  const names = Array.from({ length: 200 }, (_, index) => `w${index}`);
  const folder = await folderWith(
    Object.fromEntries(names.map((name) => [`${name}.yaml`, yaml(name, 1)])),
  );
  expect(await folder.find("w7")).toBe("w7 1 w7.yaml");
  folder.now = 4000;
  await folder.find("w7");
  const begin = performance.now();
  for (let count = 0; count < 10; count += 1) await folder.find("w199");
  // Measured 13 ms on two busy cores.
  expect((performance.now() - begin) / 10).toBeLessThan(60);
});
