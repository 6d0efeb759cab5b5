// How a rule is broken: by throwing what should have been. The judge turns it into a violation.

export function must(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new Error(fact);
}
