// Where an expression inside {{ }} ends, found without parsing it.
// Knows quotes and nested braces, so neither "}}" in a text nor {"a": {"b": 1}} ends it early.
import { textEnd } from "./token.ts";

/**
 * The offset of the `}}` that closes the expression beginning at `from`, or undefined. One pass;
 * a text that is not closed runs to the end, as nobody can say where it was meant to end.
 */
export function bracesEnd(text: string, from: number): number | undefined {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === '"' || character === "'") {
      const end = textEnd(text, at);
      if (end === undefined) return undefined;
      at = end;
      continue;
    }
    if (character === "}" && depth === 0 && text.charAt(at + 1) === "}") return at;
    if (character === "{") depth += 1;
    if (character === "}") depth -= 1;
    at += 1;
  }
  return undefined;
}
