// What `npm start` takes: nothing that is not understood is let pass, or it would keep nothing.
import path from "node:path";
import { expect, test } from "vitest";
import { startOptions } from "../../../src/local/start-options.ts";

const NONE = { help: false, stores: false, keep: undefined };

test("nothing, the folder in both spellings, and help", () => {
  expect(startOptions([], {})).toEqual(NONE);
  const kept = { ...NONE, keep: path.resolve("a folder") };
  expect(startOptions(["--keep", "a folder"], {})).toEqual(kept);
  expect(startOptions(["--keep=a folder"], {})).toEqual(kept);
  expect(startOptions(["--stores", "--keep", "a folder"], {})).toEqual({ ...kept, stores: true });
  expect(startOptions(["-h"], {})).toEqual({ ...NONE, help: true });
});

test.each([
  [["--kepe", "kept"], "Unknown option '--kepe'"],
  [["kept"], "Unexpected argument 'kept'"],
  [["--keep"], "'--keep <value>' argument missing"],
  [["--keep", ""], "--keep needs a folder"],
  [["--keep="], "--keep needs a folder"],
  [["--keep", "--stores"], "Option '--keep' argument is ambiguous. Expected"],
  [["--stores=yes"], "'--stores' does not take an argument"],
])("%j is refused", (args, text) => {
  const attempt = () => startOptions(args, {});
  expect(attempt).toThrow(text);
  expect(attempt).toThrow("Expected: npm start, or npm start -- --keep DIR");
});

test("npm start --keep DIR, whose option npm takes for itself, is refused", () => {
  const text = "--keep came before the two dashes";
  expect(() => startOptions(["kept"], { npm_config_keep: "true" })).toThrow(text);
  expect(() => startOptions([], { npm_config_keep: "kept" })).toThrow(text);
});
