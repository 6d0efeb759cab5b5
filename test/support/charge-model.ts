// What Cosmos DB charges for one request, from the sizes of documents. The anchors: a point read of
// 1 KB costs 1 request unit and of 100 KB 10, twice that at Strong consistency; a create costs 5
// and 50 (Microsoft, "Optimize request cost"). A replace is charged as a delete and a create, and
// each indexed term adds a little; both from the capacity calculator: 5.71 for a small document
// with a few terms, 10.67 for its replace. It is linear in between. The emulator charges 1.
export type Operation = "create" | "read" | "replace" | "query";

const KB = 1024;
const STRONG = 2;
/** Of a small document: what the calculator says above the 5 of a document without an index. */
const INDEX = 0.71;
const REPLACE = 10.67 / 5.71;
/** A query that finds next to nothing by an index, in one physical partition. */
const QUERY = 2.8;

export interface ModelledRequest {
  readonly operation: Operation;
  readonly container: string;
  /** Of the document that was written or read; 0 where there was none. */
  readonly bytes: number;
}

/** Request units, unrounded. A refused create (409) is charged as one that succeeds. */
export function chargeOf({ operation, container, bytes }: ModelledRequest): number {
  const index = container === "jobs" ? INDEX : 0;
  switch (operation) {
    case "read":
      return STRONG * between(1, 10, bytes);
    case "create":
      return between(5, 50, bytes) + index;
    case "replace":
      return REPLACE * (between(5, 50, bytes) + index);
    case "query":
      return STRONG * QUERY;
  }
}

/** Linear from 1 KB to 100 KB and beyond; nothing is smaller than 1 KB. */
function between(atOne: number, atHundred: number, bytes: number): number {
  const kilobytes = Math.max(1, bytes / KB);
  return atOne + ((atHundred - atOne) * (kilobytes - 1)) / 99;
}
