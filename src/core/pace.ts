// Work that rests between its parts, so that whoever drives it can let others go first. What it
// comes to is the same whether it rests or not; the reducer stays a pure function.

/** Stops where it may rest; its result comes with the last part. */
export type Paced<T> = Generator<undefined, T, undefined>;

/** Does all of it at once. */
export function finish<T>(work: Paced<T>): T {
  for (;;) {
    const part = work.next();
    if (part.done === true) return part.value;
  }
}
