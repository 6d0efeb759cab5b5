// What the built-in prototypes and constructors hold, to see that nobody added or changed a member.
// Members are compared by identity, so a replaced method shows as well.

type Members = ReadonlyMap<PropertyKey, unknown>;

const WATCHED: readonly object[] = [
  Object, Array, Function, String, Number, Boolean, Symbol, Map, Set, WeakMap, Promise, RegExp,
  Date,
  Error, BigInt, JSON, Math, Reflect,
].flatMap((one: object) => {
  const prototype: unknown = Reflect.get(one, "prototype");
  return typeof prototype === "object" && prototype !== null ? [one, prototype] : [one];
});

export function prototypesNow(): readonly Members[] {
  return WATCHED.map(membersOf);
}

function membersOf(one: object): Members {
  return new Map(
    Reflect.ownKeys(one).map((key) => {
      const descriptor = Object.getOwnPropertyDescriptor(one, key) ?? {};
      // What the last match was changes with every match.
      const getter: unknown = Reflect.get(descriptor, "get");
      const isLegacy = one === RegExp && typeof getter === "function";
      return [key, isLegacy ? undefined : (getter ?? descriptor.value)];
    }),
  );
}

/** Which members are other than they were. */
export function prototypeChanges(before: readonly Members[]): readonly string[] {
  return prototypesNow().flatMap((now, index) => {
    const then = before[index] ?? new Map<PropertyKey, unknown>();
    const keys = new Set([...then.keys(), ...now.keys()]);
    return [...keys]
      .filter((key) => then.has(key) !== now.has(key) || !Object.is(then.get(key), now.get(key)))
      .map((key) => `a built-in was changed: ${String(key)}`);
  });
}
