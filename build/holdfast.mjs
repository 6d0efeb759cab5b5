#!/usr/bin/env node
// The command `holdfast`: dist/cli.mjs, which is built at the first call where nobody has built it.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const CLI = new URL("../dist/cli.mjs", import.meta.url);

if (!existsSync(fileURLToPath(CLI))) {
  const { bundleAll } = await import("./bundle.mjs");
  await bundleAll();
}
await import(CLI.href);
