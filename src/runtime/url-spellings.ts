// How a value reads once it has been part of a URL: the URL standard escapes some characters of a
// path and others of a query, turns backslashes, drops line ends and spaces at the end, and takes
// dots out. What follows a `?` or a `#` leaves the path, so a value may come apart: its parts count
// where they are long enough to be nobody else's.

/** A shorter part of a value is everywhere, such as `/api`. */
const MIN_PART_CHARS = 8;
/** What may stand before a value and after it; dots count only where they fill a segment. */
const PLACES = [
  ["", ""],
  ["", "/x"],
  ["x", ""],
  ["x", "/x"],
] as const;

/** What to look for beside the value itself and what programs escape on purpose. */
export function urlSpellingsOf(value: string): readonly string[] {
  const [text = ""] = value.split("#", 1);
  const at = text.indexOf("?");
  const paths = inPath(at === -1 ? text : text.slice(0, at));
  const queries = at === -1 ? [] : inQuery(text.slice(at + 1));
  const both = paths.flatMap((path) => queries.map((query) => `${path}?${query}`));
  const whole = [...(at === -1 ? paths : both), ...inQuery(text)];
  const parts = [...paths, ...queries, ...ofUrl(value)];
  return text === value ? [...whole, ...long(parts)] : long([...whole, ...parts]);
}

function long(parts: readonly string[]): readonly string[] {
  return parts.filter(({ length }) => length >= MIN_PART_CHARS);
}

function inPath(text: string): readonly string[] {
  return PLACES.map(([before, after]) => {
    const { pathname } = new URL(`http://h/${before}${text}${after}`);
    return between(pathname, `/${before}`, after);
  });
}

/** As it is given in a URL, and as it is written again when a parameter is added. */
function inQuery(text: string): readonly string[] {
  const form = new URLSearchParams(`x=${text}`).toString();
  const given = ["", "&x"].map((after) =>
    between(new URL(`http://h/?${text}${after}`).search, "?", after),
  );
  return [...given, between(form, "x=", "")];
}

function between(text: string, before: string, after: string): string {
  const from = text.startsWith(before) ? before.length : 0;
  return text.slice(from, text.endsWith(after) ? text.length - after.length : text.length);
}

/** A value that is a whole URL: as it is written again, without its query, and its path. */
function ofUrl(value: string): readonly string[] {
  if (!URL.canParse(value)) return [];
  const { protocol, href, origin, pathname, search } = new URL(value);
  if (protocol !== "http:" && protocol !== "https:") return [];
  return [href, `${origin}${pathname}`, `${pathname}${search}`, pathname];
}
