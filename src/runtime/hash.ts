// sha256 for the pure core, which has no Node types and gets it as an argument.
// One function each for text and for bytes, so that label and value always come together.
import { createHash } from "node:crypto";

/** Lower-case hex of sha256 over the UTF-8 bytes of `text`. */
export function sha256(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}

/** Lower-case hex of sha256 over the bytes that `hex` spells. */
export function hashBytes(hex: string): string {
  return createHash("sha256").update(hex, "hex").digest("hex");
}
