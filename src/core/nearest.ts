// "Did you mean": the known word that a mistyped one most likely stands for. The time is bounded:
// nothing is said of a word too long to be a name, nor where too much would have to be compared.
import { MAX_HINT_PAIRS } from "./limits.ts";

/** Longer words are no typing mistake of a name; comparing them would only cost time. */
const MAX_WORD = 64;

/**
 * The candidate with the fewest typing mistakes between it and `word`, the first among equals;
 * undefined where all are too different, more than a third of the word's letters, or too many of
 * about its length.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  // Any letter is one mistake away from any other: no suggestion.
  if (word.length < 2 || word.length > MAX_WORD) return undefined;
  const most = Math.max(1, Math.floor(word.length / 3));
  let best: string | undefined;
  let fewest = most + 1;
  let pairs = 0;
  for (const candidate of candidates) {
    if (candidate === word || candidate.length > MAX_WORD) continue;
    // Each letter more or less is a mistake.
    if (Math.abs(word.length - candidate.length) >= fewest) continue;
    pairs += word.length * candidate.length;
    // The nearest may be among those that are left: no hint is better than a wrong one.
    if (pairs > MAX_HINT_PAIRS) return undefined;
    const mistakes = distance(word.toLowerCase(), candidate.toLowerCase());
    if (mistakes < fewest) {
      best = candidate;
      fewest = mistakes;
    }
  }
  return best;
}

/** The hint for an unknown name, or no member at all. */
export function didYouMean(
  word: string,
  candidates: Iterable<string>,
): { readonly hint?: string } {
  const found = nearest(word, candidates);
  return found === undefined ? {} : { hint: `did you mean "${found}"?` };
}

/** Optimal string alignment: insertions, deletions, substitutions, swaps of two neighbours. */
function distance(a: string, b: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = at(row, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swaps = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = swaps ? at(before, j - 2) + 1 : Infinity;
      current.push(Math.min(at(row, j) + 1, at(current, j - 1) + 1, substituted, swapped));
    }
    before = row;
    row = current;
  }
  return at(row, b.length);
}

/** Only asked inside the table. */
function at(row: readonly number[], index: number): number {
  return Number(row[index]);
}
