// Whether two JSON values are the same: faster than a general comparison, for it is asked after
// every write. An absent member and an undefined one are the same, as they are in JSON.

export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object") return false;
  if (one === null || other === null || Array.isArray(one) !== Array.isArray(other)) return false;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => isSame(item, other[index]));
  }
  const first = one as Record<string, unknown>;
  const second = other as Record<string, unknown>;
  let members = 0;
  for (const key in first) {
    if (first[key] === undefined) continue;
    members += 1;
    if (!isSame(first[key], second[key])) return false;
  }
  for (const key in second) if (second[key] !== undefined) members -= 1;
  return members === 0;
}
