// Digests as they are stored inside our own documents: base64url instead of labelled hex, 43
// characters instead of 71. Whatever leaves the store is whole again.

const LABEL = "sha256:";
const WHOLE = /^sha256:[0-9a-f]{64}$/;
const COMPACT = /^[A-Za-z0-9_-]{43}$/;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** `sha256:` and 64 hex digits in 43 characters; any other text as it is. */
export function compactDigest(digest: string): string {
  if (!WHOLE.test(digest)) return digest;
  let text = "";
  for (let from = LABEL.length; from < digest.length; from += 6) {
    const hex = digest.slice(from, from + 6);
    const bits = parseInt(hex.padEnd(6, "0"), 16);
    const characters = Math.ceil((hex.length * 4) / 6);
    for (let index = 0; index < characters; index += 1) {
      text += ALPHABET.charAt((bits >> (18 - 6 * index)) & 63);
    }
  }
  return text;
}

/** The digest that `compactDigest` wrote; any other text as it is. */
export function wholeDigest(text: string): string {
  if (!COMPACT.test(text)) return text;
  let hex = "";
  for (let from = 0; from < text.length; from += 4) {
    const characters = text.slice(from, from + 4).padEnd(4, "A");
    let bits = 0;
    for (const one of characters) bits = bits * 64 + ALPHABET.indexOf(one);
    hex += bits.toString(16).padStart(6, "0");
  }
  return LABEL + hex.slice(0, 64);
}
