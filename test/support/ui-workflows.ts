// Workflows for the tests of the page: one that waits at a door, one that fails, one of a thousand
// items, one with every type of input, and one whose every text tries to be a script.

export const SCRIPT = `<img src=x onerror=alert(1)><script>alert(2)</script>`;

/** Goes on when the test opens the door; takes one of two branches. */
export function gatedWorkflow(port: number, version = 1): string {
  return `workflow_id: gated
name: Gated
version: ${version}
description: Waits at a door, then takes one of two branches.
inputs:
  word: { type: string, default: hello, min: 1, max: 40, description: What is said. }
  door: { type: string, default: door }
nodes:
  start: { type: start, next: say }
  say:
    type: task
    description: Says the word.
    handler: echo
    params: { message: "{{ inputs.word }} v${version}" }
    next: door
  door:
    type: task
    handler: http_request
    params: { url: "http://127.0.0.1:${port}/{{ inputs.door }}", timeout_seconds: 300 }
    on_error: rescue
    next: pick
  rescue: { type: task, handler: echo, params: { message: rescued }, next: end }
  pick:
    type: conditional
    condition_field: "{{ size(inputs.word) }}"
    branches:
      - { name: short, condition: value < 10, next: brief }
      - { name: long, default: true, next: wordy }
  brief: { type: task, handler: echo, params: { message: brief }, next: end }
  wordy: { type: task, handler: echo, params: { message: wordy }, next: end }
  end: { type: end }
`;
}

export const BROKEN_JOB = `workflow_id: broken_job
version: 1
nodes:
  start: { type: start, next: try_it }
  try_it:
    type: task
    handler: fail
    params: { message: the printer is out of paper, code: NO_PAPER, retryable: true }
    retry: { max_attempts: 3, initial_delay_seconds: 0 }
    next: end
  end: { type: end }
`;

/** Every hundredth item fails; the others go on. */
export const MANY_ITEMS = `workflow_id: many_items
version: 1
inputs:
  items: { type: array, required: true }
nodes:
  start: { type: start, next: each }
  each:
    type: fan_out
    source: "{{ inputs.items }}"
    task:
      handler: check
      params: { value: "{{ item }}", rules: [{ name: odd_one, expression: value % 100 != 7 }] }
    on_error: continue
    next: all
  all: { type: fan_in, aggregation: collect, next: end }
  end: { type: end }
`;

export const EVERY_INPUT = `workflow_id: every_input
name: Every input
version: 1
inputs:
  title: { type: string, required: true, min: 2, max: 20, pattern: "[a-z ]+" }
  count: { type: integer, min: 1, max: 5, default: 2, description: How many. }
  ratio: { type: number, default: 0.5 }
  flag: { type: boolean, default: false }
  colour: { type: string, enum: [red, green] }
  list: { type: array, max: 3 }
  map: { type: object }
nodes:
  start: { type: start, next: say }
  say: { type: task, handler: echo, params: { message: "{{ inputs.title }}" }, next: end }
  end: { type: end }
`;

const quoted = JSON.stringify(SCRIPT);

/** Fails with a message of the same kind, after giving an output of it. */
export const HOSTILE = `workflow_id: hostile
name: ${quoted}
version: 1
description: ${quoted}
inputs:
  word: { type: string, default: ${quoted}, description: ${quoted} }
nodes:
  start: { type: start, description: ${quoted}, next: say }
  say:
    type: task
    description: ${quoted}
    handler: echo
    params: { message: "{{ inputs.word }}" }
    next: pick
  pick:
    type: conditional
    condition_field: "{{ inputs.word }}"
    branches:
      - { name: ${quoted}, default: true, next: break }
  break:
    type: task
    handler: fail
    params: { message: ${quoted} }
    next: end
  end: { type: end }
`;

/** A broken file whose very problem has markup in it. */
export const INVALID = `workflow_id: invalid_one
version: 1
"<b>nxt</b>": 1
nodes:
  start: { type: start, next: end }
  end: { type: end }
`;
