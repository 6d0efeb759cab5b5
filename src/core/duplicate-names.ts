// Names that stand twice in one object of a JSON text. The parser keeps the last and says nothing,
// so what a client meant is a guess (RFC 8259, section 4), and another reader may keep the first.
// Walks the text once, without recursion; the text has been parsed before, so it is JSON.
import { pointerOf } from "./json.ts";

/** One object or list that the walk is inside of. */
interface Level {
  /** Names met so far; absent in a list. */
  readonly names?: Set<string>;
  /** The name or place of the value at hand. */
  key: string | number;
}

/** JSON pointers of the names that come a second time, at most `most`, in the order of the text. */
export function duplicateNames(text: string, most: number): readonly string[] {
  const found: string[] = [];
  const levels: Level[] = [];
  /** Whether a string that comes now is a name. */
  let isName = false;
  for (let at = 0; at < text.length && found.length < most; at += 1) {
    const level = levels.at(-1);
    switch (text.charAt(at)) {
      case "{":
        levels.push({ names: new Set(), key: "" });
        isName = true;
        break;
      case "[":
        levels.push({ key: 0 });
        isName = false;
        break;
      case "}":
      case "]":
        levels.pop();
        isName = false;
        break;
      case ",":
        isName = level?.names !== undefined;
        if (typeof level?.key === "number") level.key += 1;
        break;
      case '"': {
        const end = endOfString(text, at);
        if (isName && level?.names !== undefined) {
          const name = JSON.parse(text.slice(at, end + 1)) as string;
          level.key = name;
          if (level.names.has(name)) found.push(pointerOf(levels.map(({ key }) => key)));
          level.names.add(name);
        }
        isName = false;
        at = end;
        break;
      }
    }
  }
  return found;
}

/** The place of the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}
