// What authors write when they come from another language, and what to write here instead.
// Pure tables; the scanner and the parser ask them once something is already wrong.

/** Tried in order; each is refused where it stands outside quotes. */
const SYMBOL_HINTS: readonly (readonly [symbol: string, hint: string])[] = [
  ["===", "write =="],
  ["!==", "write !="],
  ["=~", "there are no regular expressions: use startsWith, endsWith or contains"],
  ["=>", "a macro names its variable first: list.map(x, x.name)"],
  ["<>", "write !="],
  ["{{", "an expression has no braces around it inside another one: leave {{ and }} out"],
  ["??", "write default(x, fallback)"],
  ["?.", "write default(a.b, fallback) or has(a.b)"],
  [".?", "write default(a.b, fallback) or has(a.b)"],
  ["**", "there are no powers: multiply"],
  ["//", "there are no comments here: use YAML comments"],
];

/** Asked only for characters that no symbol begins with. */
const CHARACTER_HINTS: ReadonlyMap<string, string> = new Map([
  ["=", "write == to compare; nothing can be assigned"],
  ["&", "write &&"],
  ["|", "there are no filters: write default(x, 1) for x | default(1), and || for or"],
  ["$", "write the path without $: inputs.name"],
  ["#", "there are no comments here: use YAML comments"],
  ["`", 'put texts in "double" or \'single\' quotes'],
  ["\u2018", "use straight quotes"],
  ["\u2019", "use straight quotes"],
  ["\u201c", "use straight quotes"],
  ["\u201d", "use straight quotes"],
  ["\u00a0", "use an ordinary space"],
  ["~", "write + to join texts"],
  ["^", "there are no powers: multiply"],
  [";", "an expression is one value"],
]);

export function symbolHint(source: string, offset: number): string | undefined {
  if (source.startsWith("||", offset) || source.startsWith("&&", offset)) return undefined;
  if (source.startsWith("==", offset) && source.charAt(offset + 2) !== "=") return undefined;
  const found = SYMBOL_HINTS.find(([symbol]) => source.startsWith(symbol, offset));
  return found?.[1] ?? CHARACTER_HINTS.get(source.charAt(offset));
}

/** Reserved in CEL, so that an expression stays readable with its documentation. */
const RESERVED_WORDS: ReadonlySet<string> = new Set(
  (
    "as break const continue else for function if import in let loop package namespace return " +
    "var void while"
  ).split(" "),
);

const LITERAL_HINTS: ReadonlyMap<string, string> = new Map([
  ["True", "write true"],
  ["TRUE", "write true"],
  ["False", "write false"],
  ["FALSE", "write false"],
  ["None", "write null"],
  ["NULL", "write null"],
  ["Null", "write null"],
  ["nil", "write null"],
  ["undefined", "write null, or has(a.b) to ask whether a key is there"],
  ["not", "write !x, or !(x in list)"],
]);

const WORD_OPERATOR_HINTS: ReadonlyMap<string, string> = new Map([
  ["and", "write &&"],
  ["or", "write ||"],
  ["not", "write !(x in list)"],
  ["not_in", "write !(x in list)"],
  ["is", "write == to compare, such as x == null"],
  ["eq", "write =="],
  ["ne", "write !="],
  ["lt", "write <"],
  ["gt", "write >"],
  ["le", "write <="],
  ["ge", "write >="],
  ["mod", "write %"],
  ["if", "write condition ? yes : no"],
  ["contains", "write text.contains(part), or x in list"],
  ["matches", "there are no regular expressions: use startsWith, endsWith or contains"],
]);

const NO_REGEX = "there are no regular expressions: use startsWith, endsWith or contains";
const NO_CLOCK = "there is no clock: pass a time in as an input";
const NO_CHANCE = "there is no randomness: a pinned job must compute the same again";

const FUNCTION_HINTS: ReadonlyMap<string, string> = new Map([
  ["is_null", "write x == null"],
  ["isNull", "write x == null"],
  ["is_defined", "write has(a.b)"],
  ["defined", "write has(a.b)"],
  ["exists_one", "write size(list.filter(x, condition)) == 1"],
  ["not", "write !x"],
  ["not_in", "write !(x in list)"],
  ["in", "write x in list"],
  ["len", "write size(x)"],
  ["length", "write size(x)"],
  ["count", "write size(x)"],
  ["str", "write string(x)"],
  ["toString", "write string(x)"],
  ["float", "write double(x)"],
  ["number", "write double(x) or int(x)"],
  ["lowerAscii", "write lower(x)"],
  ["toLowerCase", "write lower(x)"],
  ["upperAscii", "write upper(x)"],
  ["toUpperCase", "write upper(x)"],
  ["includes", "write text.contains(part), or x in list"],
  ["coalesce", "write default(x, fallback)"],
  ["get", "write default(x, fallback)"],
  ["any", "write list.exists(x, condition)"],
  ["some", "write list.exists(x, condition)"],
  ["every", "write list.all(x, condition)"],
  ["matches", NO_REGEX],
  ["replace", "there is no replace: text.split(a).join(b) does it"],
  ["now", NO_CLOCK],
  ["timestamp", NO_CLOCK],
  ["random", NO_CHANCE],
  ["uuid", NO_CHANCE],
]);

export function isReservedWord(word: string): boolean {
  return RESERVED_WORDS.has(word);
}

export function literalHint(name: string): string | undefined {
  return LITERAL_HINTS.get(name);
}

export function wordOperatorHint(name: string): string | undefined {
  return WORD_OPERATOR_HINTS.get(name);
}

export function functionHint(name: string): string | undefined {
  return FUNCTION_HINTS.get(name);
}
