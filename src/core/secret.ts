// Secrets: names in definitions, values nowhere in here. A template that uses secrets is sealed by
// the core: every expression has its value, and only the places of secrets are still open. Filled
// with `{"$secret": NAME}` it is what digests and the record see; the shell fills it with values
// for the one call of the handler. What is filled in is never scanned again.
import { canonical } from "./canonical.ts";
import type { Json } from "./json.ts";

/** Params whose secrets are open; everything else in them is settled. Lives in memory only. */
export type Sealed =
  | { readonly kind: "value"; readonly value: Json }
  | { readonly kind: "secret"; readonly name: string }
  | { readonly kind: "text"; readonly parts: readonly (string | SecretPlace)[] }
  | { readonly kind: "list"; readonly items: readonly Sealed[] }
  | { readonly kind: "map"; readonly members: readonly (readonly [key: string, Sealed])[] };

/** A secret inside a text. */
export interface SecretPlace {
  readonly secret: string;
}

const ALONE = /^\s*secrets\.([A-Za-z]\w{0,63})\s*$/;

/** The name that an expression's source reads, where it is nothing but `secrets.NAME`. */
export function secretName(source: string): string | undefined {
  return ALONE.exec(source)?.[1];
}

/** What stands for a secret wherever its value must not. */
export function secretMark(name: string): Json {
  return { $secret: name };
}

/** The params with what `give` says for each secret; in a text anything but a text as JSON. */
export function fillSealed(sealed: Sealed, give: (name: string) => Json): Json {
  switch (sealed.kind) {
    case "value":
      return sealed.value;
    case "secret":
      return give(sealed.name);
    case "text":
      return sealed.parts.map((part) => textOf(part, give)).join("");
    case "list":
      return sealed.items.map((item) => fillSealed(item, give));
    case "map":
      // fromEntries makes every key an own property, whatever its name.
      return Object.fromEntries(
        sealed.members.map(([key, member]) => [key, fillSealed(member, give)]),
      );
  }
}

function textOf(part: string | SecretPlace, give: (name: string) => Json): string {
  if (typeof part === "string") return part;
  const given = give(part.secret);
  return typeof given === "string" ? given : canonical(given);
}
