// Which file answers for a workflow and a version, and what a broken one answers.
import { createHash } from "node:crypto";
import { readFile, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { WorkflowError } from "../../../src/core/error.ts";
import {
  BROKEN,
  folderWith,
  INACTIVE,
  removeFolders,
  yaml,
} from "../../support/workflow-folder.ts";

afterEach(removeFolders);

describe("find", () => {
  test("gives the definition, its digests and the exact text", async () => {
    const text = `# comment\r\n${yaml("a", 1)}`;
    const { catalog } = await folderWith({ "sub/a.yaml": text });
    const entry = await catalog.find("a");
    expect(entry).toMatchObject({ workflow_id: "a", version: 1, file: "sub/a.yaml" });
    expect(entry.source).toBe(text);
    expect([entry.definition.workflow_id, entry.definition.version]).toEqual(["a", 1]);
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

  test("without a readable version may be the newest, not a version that is there", async () => {
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
