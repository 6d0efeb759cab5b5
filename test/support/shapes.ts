// Workflows that several tests run: a chain, parallel tasks, a diamond, a conditional, a fan_out.
import { z } from "zod";
import { defineHandler, RetryableError } from "../../src/runtime/handlers.ts";
import type { Handler } from "../../src/runtime/handlers.ts";

type Shape = Readonly<Record<string, unknown>>;

const anything = z.record(z.string(), z.json());

/** Answers what it was given, and which attempt it was: a replayed outcome would show. */
export const echo: Handler = defineHandler({
  name: "echo",
  version: "1",
  params: anything,
  output: z.json(),
  run: ({ params }) => params,
});

/** Fails twice, then answers with its attempt. */
export const flaky: Handler = defineHandler({
  name: "flaky",
  version: "1",
  params: anything,
  output: z.json(),
  run: ({ attempt }) => {
    if (attempt < 3) throw new RetryableError("not yet");
    return { attempt };
  },
});

/** A text of `bytes` letters. */
export const large: Handler = defineHandler({
  name: "large",
  version: "1",
  params: z.object({ bytes: z.number() }),
  output: z.json(),
  run: ({ params }) => "x".repeat(params.bytes),
});

/** The size of what it was given. */
export const sizeOf: Handler = defineHandler({
  name: "size_of",
  version: "1",
  params: z.object({ value: z.string() }),
  output: z.json(),
  run: ({ params }) => params.value.length,
});

export function workflow(workflow_id: string, nodes: Shape, more: Shape = {}): Shape {
  return { workflow_id, version: 1, ...more, nodes };
}

export function task(next: string | readonly string[], more: Shape = {}): Shape {
  return { type: "task", handler: "echo", params: {}, next, ...more };
}

export function chain(length: number, more: Shape = {}): Shape {
  const nodes: Record<string, unknown> = { start: { type: "start", next: "t1" } };
  for (let n = 1; n <= length; n += 1) {
    const next = n === length ? "end" : `t${n + 1}`;
    nodes[`t${n}`] = task(next, { params: { n }, ...more });
  }
  return workflow("chain", { ...nodes, end: { type: "end" } });
}

export function parallel(width: number, more: Shape = {}): Shape {
  const names = Array.from({ length: width }, (_, index) => `p${index + 1}`);
  return workflow("parallel", {
    start: { type: "start", next: names },
    ...Object.fromEntries(names.map((name, n) => [name, task("end", { params: { n }, ...more })])),
    end: { type: "end" },
  });
}

export function diamond(): Shape {
  return workflow("diamond", {
    start: { type: "start", next: "a" },
    a: task(["b", "c"], { params: { from: "a" } }),
    b: task("d", { params: { from: "{{ nodes.a.output.from }}b" } }),
    c: task("d", { params: { from: "{{ nodes.a.output.from }}c" } }),
    d: task("end", { params: { b: "{{ nodes.b.output.from }}", c: "{{ nodes.c.output.from }}" } }),
    end: { type: "end" },
  });
}

export function conditional(): Shape {
  return workflow("conditional", {
    start: { type: "start", next: "a" },
    a: task("route", { params: { size: 7 } }),
    route: {
      type: "conditional",
      condition_field: "{{ nodes.a.output.size }}",
      branches: [
        { name: "small", condition: "< 5", next: "s" },
        { name: "large", default: true, next: "l" },
      ],
    },
    s: task("end", { params: { way: "small" } }),
    l: task("end", { params: { way: "large" } }),
    end: { type: "end" },
  });
}

export function retrying(): Shape {
  const retry = { initial_delay_seconds: 5, jitter: 0 };
  return workflow("retrying", {
    start: { type: "start", next: "a" },
    a: task("b", { handler: "flaky", retry }),
    b: task("end", { params: { seen: "{{ nodes.a.output.attempt }}" } }),
    end: { type: "end" },
  });
}

/** Doubles a list's items, in order. */
export function fan(more: Shape = {}): Shape {
  return workflow(
    "fan",
    {
      start: { type: "start", next: "split" },
      split: {
        type: "fan_out",
        source: "{{ inputs.list }}",
        task: { handler: "echo", params: { v: "{{ item * 2 }}" } },
        next: "join",
        ...more,
      },
      join: { type: "fan_in", select: "value.v", next: "end" },
      end: { type: "end" },
    },
    { inputs: { list: { type: "array", required: true } } },
  );
}

export function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}
