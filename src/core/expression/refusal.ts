// How scanning and parsing stop: a Refusal is thrown and turned into a result by parse.ts.
// It never leaves this folder, so it is no WorkflowError and has no code.

export class Refusal extends Error {
  /** UTF-16 units from the start of the source. */
  readonly offset: number;
  readonly hint: string | undefined;

  constructor(message: string, offset: number, hint?: string) {
    super(message);
    this.offset = offset;
    this.hint = hint;
  }
}
