// sha256 for the pure core, which has no Node types and gets it as an argument.
// One function each for text and for bytes, so that label and value always come together.
import { hash } from "node:crypto";

/** Lower-case hex of sha256 over the UTF-8 bytes of `text`. */
export function sha256(text: string): string {
  return hash("sha256", text, "hex");
}

/** Lower-case hex of sha256 over the bytes that `hex` spells. */
export function hashBytes(hex: string): string {
  return hash("sha256", Buffer.from(hex, "hex"), "hex");
}
