// Reads a value by its schema. Zod looks at the length of whatever has one, of the wrong type too,
// and throws where a member `length` cannot be compared with a number. Here that is one more way
// of not being what was expected.
import * as z from "zod";

type Options = z.core.ParseContext<z.core.$ZodIssue>;

/** Zod's `safeParse`, which does not throw for a `length` of any shape. */
export function safeParse<T>(
  schema: z.ZodType<T>,
  value: unknown,
  options?: Options,
): z.ZodSafeParseResult<T> {
  try {
    return schema.safeParse(value, options);
  } catch (cause) {
    const path = unmeasurable(value);
    if (path === undefined) throw cause;
    const message = 'expected no member "length" that is a map';
    const error = new z.ZodError([{ code: "custom", path: [...path], message, input: value }]);
    return { success: false, error: error as z.ZodError<T> };
  }
}

type Path = readonly PropertyKey[];

/** Where the first value stands whose length is no number and cannot be made one. */
function unmeasurable(value: unknown): Path | undefined {
  const waiting: { readonly value: unknown; readonly path: Path }[] = [{ value, path: [] }];
  // A handler may give back what contains itself.
  const seen = new Set<unknown>();
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    if (typeof one.value !== "object" || one.value === null || seen.has(one.value)) continue;
    seen.add(one.value);
    const { path } = one;
    const entries = Object.entries(one.value);
    if (entries.some(([key, member]) => key === "length" && !isComparable(member))) return path;
    const isList = Array.isArray(one.value);
    for (const [key, member] of entries.reverse()) {
      waiting.push({ value: member, path: [...path, isList ? Number(key) : key] });
    }
  }
  return undefined;
}

function isComparable(member: unknown): boolean {
  try {
    Number(member);
    return true;
  } catch {
    return false;
  }
}
