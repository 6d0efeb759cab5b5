// Workflows of recorded jobs, beside those that other tests run as well.
import { task, workflow } from "../support/shapes.ts";

export function slowTask(more: Readonly<Record<string, unknown>> = {}): unknown {
  return workflow("slow-task", {
    start: { type: "start", next: "a" },
    a: task("b", { params: { n: 1 } }),
    b: task("c", { handler: "slow", params: { seen: "{{ nodes.a.output.n }}" }, ...more }),
    c: task("end", { params: { seen: "{{ nodes.b.output.seen }}" } }),
    end: { type: "end" },
  });
}

export function failing(): unknown {
  return workflow("failing", {
    start: { type: "start", next: ["other", "bad"] },
    other: task("end", { handler: "slow", params: { n: 1 } }),
    bad: task("end", { handler: "fail" }),
    end: { type: "end" },
  });
}

/** Six at once; the second and the fifth are slow. */
export function uneven(): unknown {
  const names = ["p1", "p2", "p3", "p4", "p5", "p6"];
  const handler = (n: number): string => (n === 1 || n === 4 ? "slow" : "stamp");
  return workflow("uneven", {
    start: { type: "start", next: names },
    ...Object.fromEntries(
      names.map((name, n) => [name, task("last", { handler: handler(n), params: { n } })]),
    ),
    last: task("end", { params: { sum: "{{ nodes.p2.output.n + nodes.p5.output.n }}" } }),
    end: { type: "end" },
  });
}

export function rescued(): unknown {
  return workflow("rescued", {
    start: { type: "start", next: ["bad", "any_way"] },
    bad: task("never", { handler: "busy", retry: { max_attempts: 2 }, on_error: "rescue" }),
    never: task("end"),
    rescue: task("end", { params: { code: "{{ nodes.bad.error.code }}" } }),
    any_way: task("end", { handler: "fail", on_error: "continue" }),
    last: { type: "task", handler: "echo", depends_on: { any_of: ["rescue", "never"] } },
    end: { type: "end", depends_on: { all_of: ["last"] } },
  });
}

export function withLarge(): unknown {
  return workflow("large-output", {
    start: { type: "start", next: "a" },
    a: task("b", { handler: "large", params: { bytes: 9_000 } }),
    b: task("c", { handler: "size_of", params: { value: "{{ nodes.a.output }}" } }),
    c: task("d", { handler: "large", params: { bytes: 5_000, letter: "y" } }),
    d: task("end", { handler: "size_of", params: { value: "{{ nodes.c.output }}" } }),
    end: { type: "end" },
  });
}

export function withVars(): unknown {
  const nodes = {
    start: { type: "start", next: "a" },
    a: task("b", { params: { region: "{{ vars.region }}", limit: "{{ vars.limit + 1 }}" } }),
    b: task("end", { params: { again: "{{ vars.region }} of {{ inputs.name }}" } }),
    end: { type: "end" },
  };
  const inputs = { name: { type: "string", default: "nobody" } };
  return workflow("with-vars", nodes, { vars: { region: "west", limit: 5 }, inputs });
}

export function largeItems(): unknown {
  const nodes = {
    start: { type: "start", next: "split" },
    split: {
      type: "fan_out",
      source: "{{ inputs.list }}",
      task: { handler: "large", params: { bytes: 3_500, letter: "z" } },
      next: "join",
    },
    join: { type: "fan_in", select: "size(value)", aggregation: "sum", next: "end" },
    end: { type: "end" },
  };
  const inputs = { list: { type: "array", required: true } };
  return workflow("large-items", nodes, { inputs });
}

export const LIST_20 = { list: Array.from({ length: 20 }, (_, index) => index) };
export const oddIsSlow = { task: { handler: "odd_is_slow", params: { v: "{{ item * 2 }}" } } };
export const thirdIsFlaky = {
  task: { handler: "third_is_flaky", params: { v: "{{ item * 2 }}" } },
  retry: { initial_delay_seconds: 200, jitter: 0 },
};
