// The workflow that the demo edits while its jobs are in flight, and the edits. README shows the
// first version. Each job sleeps before it is routed, so an edit that reached it would show: claims
// of 500 to 1,000 euros go another way in version 2.

export const CLAIM_FILE = "claim.yaml";

const V1 = `\
workflow_id: claim
version: 1
inputs:
  amount: { type: number, required: true, min: 0 }
nodes:
  start: { type: start, next: inspect }
  inspect: { type: task, handler: sleep, params: { seconds: 8 }, next: by_amount }
  by_amount:
    type: conditional
    condition_field: "{{ inputs.amount }}"
    branches:
      - { name: small, condition: "< 500", next: pay }
      - { name: large, default: true, next: review }
  pay: { type: task, handler: echo, params: { message: "v1: paid at once" }, next: end }
  review: { type: task, handler: echo, params: { message: "v1: a person decides" }, next: end }
  end: { type: end }
`;

const V2 = edited(V1, [
  ["version: 1", "version: 2"],
  ['"< 500"', '"< 1000"'],
  ["v1: paid", "v2: paid"],
  ["v1: a person", "v2: a person"],
]);

/** The texts of the file, in the order in which the demo writes them. */
export const CLAIM = {
  v1: V1,
  v2: V2,
  /** Version 2 with other content. */
  v2Changed: edited(V2, [['"< 1000"', '"< 5000"']]),
  /** A word mistyped. */
  broken: edited(V2, [["next: review", "next: reveiw"]]),
};

/** What a claim's result says, by the version that the job is pinned to. */
export function expectedAnswer(version: number, amount: number): string {
  const limit = version === 1 ? 500 : 1000;
  return `v${version}: ${amount < limit ? "paid at once" : "a person decides"}`;
}

type Edit = readonly [from: string, to: string];

function edited(text: string, edits: readonly Edit[]): string {
  return edits.reduce((before, [from, to]) => {
    const after = before.replace(from, to);
    if (after === before) throw new Error(`The definition has no ${from} to edit.`);
    return after;
  }, text);
}
