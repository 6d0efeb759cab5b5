// The Merkle tree root of RFC 6962: one digest that stands for a list, in its order.
// Leaves and inner nodes are hashed with different prefixes, so neither can pass for the other.
// Bytes travel as hex, because the core has no byte hashing of its own.
import { invariant } from "./error.ts";

/** sha256 of the bytes given as lower-case hex; the answer is lower-case hex. */
export type HashBytes = (hex: string) => string;

const LEAF = "00";
const INNER = "01";

/** `leafHex` holds the data of each leaf, not its hash. The root of no leaves is the hash of "". */
export function merkleRoot(leafHex: readonly string[], hashBytes: HashBytes): string {
  let level = leafHex.map((hex) => {
    invariant(isHex(hex), "a Merkle leaf is whole bytes in lower-case hex");
    return hashBytes(LEAF + hex);
  });
  // Joining neighbours level by level, the odd last one moving up, is the RFC's split at the
  // largest power of two below the length.
  while (level.length > 1) level = joinNeighbours(level, hashBytes);
  return level[0] ?? hashBytes("");
}

function joinNeighbours(level: readonly string[], hashBytes: HashBytes): string[] {
  const above: string[] = [];
  for (let index = 0; index < level.length; index += 2) {
    const pair = level.slice(index, index + 2);
    above.push(pair.length === 2 ? hashBytes(INNER + pair.join("")) : pair.join(""));
  }
  return above;
}

function isHex(text: string): boolean {
  return text.length % 2 === 0 && /^[0-9a-f]*$/.test(text);
}
