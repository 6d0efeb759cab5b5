// Merkle roots against RFC 6962 vectors and against the RFC's own recursive definition.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { merkleRoot } from "../../../src/core/merkle.ts";

interface Vectors {
  readonly leaf_inputs_hex: readonly string[];
  readonly root_by_tree_size: readonly string[];
}

const file = new URL("../../fixtures/merkle/rfc6962-vectors.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as Vectors;

const hashBytes = (hex: string): string =>
  createHash("sha256").update(Buffer.from(hex, "hex")).digest("hex");

test("the roots of 0 to 8 leaves are those of the vectors", () => {
  const { leaf_inputs_hex: leaves, root_by_tree_size: roots } = vectors;
  expect(roots).toHaveLength(9);
  expect(roots.map((_, size) => merkleRoot(leaves.slice(0, size), hashBytes))).toEqual(roots);
});

/** RFC 6962, section 2.1: split at the largest power of two below the length. */
function recursiveRoot(leaves: readonly string[]): string {
  const [first] = leaves;
  if (first === undefined) return hashBytes("");
  if (leaves.length === 1) return hashBytes(`00${first}`);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const halves = [leaves.slice(0, split), leaves.slice(split)];
  return hashBytes(`01${halves.map(recursiveRoot).join("")}`);
}

test("every size up to 70 has the root of the recursive definition", () => {
  const leaves = Array.from({ length: 70 }, (_, index) => index.toString(16).padStart(4, "0"));
  const wrong = leaves.filter((_, size) => {
    const some = leaves.slice(0, size);
    return merkleRoot(some, hashBytes) !== recursiveRoot(some);
  });
  expect(wrong).toEqual([]);
});

test("order, a doubled last leaf and an inner node as leaf all change the root", () => {
  const root = merkleRoot(["aa", "bb", "cc"], hashBytes);
  expect(merkleRoot(["bb", "aa", "cc"], hashBytes)).not.toBe(root);
  expect(merkleRoot(["aa", "bb", "cc", "cc"], hashBytes)).not.toBe(root);
  const inner = `${hashBytes("00aa")}${hashBytes("00bb")}`;
  expect(merkleRoot([inner], hashBytes)).not.toBe(merkleRoot(["aa", "bb"], hashBytes));
});

test.each(["a", "AA", "zz", "0x"])("the leaf %s is refused, as it is no hex", (leaf) => {
  expect(() => merkleRoot([leaf], hashBytes)).toThrow("lower-case hex");
});
