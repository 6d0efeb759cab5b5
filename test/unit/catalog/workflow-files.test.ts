// That the files are seen as they are now, at little cost, and how they are listed.
import { existsSync } from "node:fs";
import { mkdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import {
  BROKEN,
  Folder,
  folderWith,
  INACTIVE,
  removeFolders,
  yaml,
} from "../../support/workflow-folder.ts";

afterEach(removeFolders);

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
  const told = "HOLDFAST_WORKFLOWS_DIR: the folder cannot be read: ENOENT";
  expect(await folder.find("a")).toBe(`CONFIGURATION_INVALID ${told}`);
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
