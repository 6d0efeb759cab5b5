// Fan_in: aggregation of a fan_out's item outcomes, always in item order. Pure functions of the
// loaded parts; what is not loaded yet is asked for.
import type { FanInNode } from "./definition.ts";
import { edgesInto } from "./graph.ts";
import type { ItemRecord } from "./event.ts";
import type { FailureReason } from "./job.ts";
import { isJsonObject, jsonBytes, kindOf } from "./json.ts";
import type { Json, JsonObject } from "./json.ts";
import { MAX_FAN_IN_BYTES, MAX_TRANSITION_STEPS } from "./limits.ts";
import type { Paced } from "./pace.ts";
import { evaluateIn } from "./scope.ts";
import type { Rendered } from "./scope.ts";
import { BYTES_PER_STEP } from "./transition.ts";
import type { Documents, Transition } from "./transition.ts";

/** What became of each item, by index. */
type ItemValue =
  | { readonly kind: "value"; readonly value: Json }
  | { readonly kind: "failed"; readonly error: FailureReason };

/** The fan_in's output, or why there is none. */
export function* aggregate(
  transition: Transition,
  nodeId: string,
  node: FanInNode,
): Paced<Rendered> {
  const source = fanSource(transition, nodeId);
  if (source === undefined) {
    const message = "expects a fan_out among its sources, found none";
    return { kind: "error", error: { code: "SNAPSHOT_INVALID", message } };
  }
  const items = itemValues(transition, source);
  if (items === undefined) return { kind: "needs" };
  if ("kind" in items) return items;
  const selected = yield* select(transition, nodeId, items);
  if (!Array.isArray(selected)) return selected as Rendered;
  return combine(node.aggregation, selected);
}

/** The fan_out that a fan_in collects: its one source of that type. */
export function fanSource(transition: Transition, nodeId: string): string | undefined {
  const edges = edgesInto(transition.context.workflow, nodeId);
  return edges.find(({ from }) => transition.definition(from)?.type === "fan_out")?.from;
}

function itemValues(
  transition: Transition,
  source: string,
): readonly ItemValue[] | Extract<Rendered, { kind: "error" }> | undefined {
  const { fan, error = LOST } = transition.node(source);
  // A fan_out that failed before it knew its items has none.
  if (fan === undefined) return [];
  const { documents } = transition;
  const absent = fan.parts.filter((id) => documents.get(id) === undefined);
  if (absent.length > 0) {
    transition.need(absent);
    return undefined;
  }
  const records = fan.parts.flatMap((id) => recordsOf(documents.get(id) ?? {}, source));
  const stored = records.flatMap((record) => ("object" in record ? [record] : []));
  const bytes = stored.reduce((sum, record) => sum + record.bytes, 0);
  if (bytes > MAX_FAN_IN_BYTES) {
    const message = `the large items have ${bytes} bytes, more than ${MAX_FAN_IN_BYTES}`;
    return { kind: "error", error: { code: "OUTPUT_TOO_LARGE", message } };
  }
  const objects = stored.map((record) => record.object);
  const unread = objects.filter((id) => documents.get(id) === undefined);
  if (unread.length > 0) {
    transition.need(unread);
    return undefined;
  }
  const values: ItemValue[] = Array.from({ length: fan.count }, () => ({ kind: "failed", error }));
  for (const record of records) values[record.index] = valueOf(record, documents);
  return values;
}

/** Every item of a fan_out that completed has an outcome; one that failed may lack some. */
const LOST: FailureReason = {
  code: "DOCUMENT_INVALID",
  message: "the item's outcome is not in the journal",
};

function valueOf(record: ItemRecord, documents: Documents): ItemValue {
  if ("error" in record) return { kind: "failed", error: record.error };
  if ("output" in record) return { kind: "value", value: record.output };
  const value = documents.get(record.object)?.["value"];
  return value === undefined ? { kind: "failed", error: LOST } : { kind: "value", value };
}

/** Item records of a part: a chunk document, or the chunk_completed events of an entry. */
function recordsOf(document: JsonObject, source: string): readonly ItemRecord[] {
  if (Array.isArray(document["items"])) return document["items"] as unknown as ItemRecord[];
  const events = document["events"];
  if (!Array.isArray(events)) return [];
  return events.flatMap((event: Json) => {
    if (!isJsonObject(event) || event["node_id"] !== source) return [];
    if (event["type"] !== "chunk_completed" || !Array.isArray(event["items"])) return [];
    return event["items"] as unknown as ItemRecord[];
  });
}

function* select(
  transition: Transition,
  nodeId: string,
  items: readonly ItemValue[],
): Paced<readonly ItemValue[] | Rendered> {
  const rendering = transition.context.workflow.nodes.get(nodeId)?.select;
  if (rendering === undefined) return items;
  const selected: ItemValue[] = [];
  const floor = transition.budget.steps - MAX_TRANSITION_STEPS;
  for (const [index, item] of items.entries()) {
    if (item.kind === "failed") {
      selected.push(item);
      continue;
    }
    const rendered = evaluateIn(transition, rendering, { value: item.value });
    if (rendered.kind === "needs") return rendered;
    if (rendered.kind === "error") {
      const message = `select of item ${index}: ${rendered.error.message}`;
      return { kind: "error", error: { ...rendered.error, message } };
    }
    if (transition.budget.steps < floor) {
      const message = `select took more than ${MAX_TRANSITION_STEPS} steps for all items`;
      return { kind: "error", error: { code: "LIMIT_EXCEEDED", message } };
    }
    selected.push(rendered);
    yield* transition.rest();
  }
  return selected;
}

function combine(aggregation: FanInNode["aggregation"], items: readonly ItemValue[]): Rendered {
  const values = items.flatMap((item) => (item.kind === "value" ? [item.value] : []));
  switch (aggregation) {
    case "collect":
      return done({
        results: items.map((item) => (item.kind === "value" ? item.value : null)),
        count: items.length,
        failed: items.flatMap((item, index) =>
          item.kind === "failed" ? [{ index, ...item.error }] : [],
        ),
      });
    case "concat": {
      const results = values.flatMap((value): readonly Json[] =>
        Array.isArray(value) ? (value as readonly Json[]) : [value],
      );
      return done({ results, count: results.length });
    }
    case "sum":
      return sum(values);
    case "first":
      return done({ result: values[0] ?? null, count: values.length });
    case "last":
      return done({ result: values.at(-1) ?? null, count: values.length });
  }
}

function sum(values: readonly Json[]): Rendered {
  let total = 0;
  for (const value of values) {
    if (typeof value !== "number") {
      const message = `sum: expected numbers, got ${kindOf(value)}`;
      return { kind: "error", error: { code: "EXPRESSION_FAILED", message } };
    }
    total += value;
  }
  if (!Number.isFinite(total)) {
    const message = "sum: the total is not a finite number";
    return { kind: "error", error: { code: "EXPRESSION_FAILED", message } };
  }
  return done({ total, count: values.length });
}

/** As `jsonBytes`, item by item: the items of an aggregate may be far larger than any output. */
export function* aggregateBytes(transition: Transition, value: Json): Paced<number> {
  let bytes = jsonBytes({});
  for (const [index, [key, member]] of Object.entries(value as JsonObject).entries()) {
    bytes += (index === 0 ? 0 : 1) + jsonBytes(key) + 1;
    if (!Array.isArray(member)) {
      bytes += jsonBytes(member);
      continue;
    }
    bytes += jsonBytes([]) + Math.max(0, member.length - 1);
    for (const item of member as readonly Json[]) {
      const itemBytes = jsonBytes(item);
      bytes += itemBytes;
      transition.spend(itemBytes / BYTES_PER_STEP);
      yield* transition.rest();
    }
  }
  return bytes;
}

function done(value: JsonObject): Rendered {
  return { kind: "value", value };
}
