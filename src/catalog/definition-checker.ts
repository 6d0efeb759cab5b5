// Checks YAML texts of strangers in a thread of its own: each has a second, one is read at a time,
// a bounded number waits. The thread is started for the first text, kept for the next ones, ended
// where a text takes too long or too much memory, and never keeps the process alive.
import { Worker } from "node:worker_threads";
import { WorkflowError } from "../core/error.ts";
import type { CheckedDefinition } from "../runtime/definition-catalog.ts";
import type { Clock } from "../runtime/ports.ts";
import type { DefinitionText } from "./check-definition.ts";

export interface CheckerOptions {
  /** The program of the thread: `definition-thread.ts` as one script. */
  readonly program: string;
  readonly clock: Clock;
  /** For one text, once the thread stands. */
  readonly limitMs?: number;
}

/** A hostile text of the largest size was measured at 2.5 s, the largest honest one at 0.1 s. */
const LIMIT_MS = 1_000;
/** Compiling the program takes 0.1 s of a quiet processor. */
const START_MS = 10_000;
/** Texts that wait behind the one being read: eight seconds at the worst. */
const MAX_WAITING = 8;
/** Megabytes: a text of 64 KiB never needs them. */
const MEMORY = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };

export class DefinitionChecker {
  readonly #options: CheckerOptions;
  #thread: Worker | undefined;
  #waiting = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: CheckerOptions) {
    this.#options = options;
  }

  /** Errors: RATE_LIMITED where too many wait. */
  check(text: DefinitionText): Promise<CheckedDefinition> {
    if (this.#waiting > MAX_WAITING) {
      const message = "too many texts wait to be checked";
      const facts = { retry_after_seconds: 1 };
      throw new WorkflowError("RATE_LIMITED", message, { retryable: true, facts });
    }
    this.#waiting += 1;
    const checked = this.#turn.then(() => this.#read(text));
    this.#turn = checked.catch(() => undefined).finally(() => {
      this.#waiting -= 1;
    });
    return checked;
  }

  async #read(text: DefinitionText): Promise<CheckedDefinition> {
    this.#thread ??= await this.#started();
    const thread = this.#thread;
    const { limitMs = LIMIT_MS } = this.#options;
    thread.postMessage(text);
    const answer = await this.#answer(thread, limitMs);
    if (answer.kind === "message") return answer.value as CheckedDefinition;
    await this.#end(thread);
    const message =
      answer.kind === "late"
        ? `reading the text takes more than ${limitMs / 1000} s, which no honest one does`
        : "reading the text takes more memory than any honest one does";
    return { valid: false, issues: [{ message }] };
  }

  async #started(): Promise<Worker> {
    // Nothing of this process is handed on: no settings, no arguments, no flags of its start.
    const thread = new Worker(this.#options.program, {
      eval: true,
      env: {},
      argv: [],
      execArgv: [],
      resourceLimits: MEMORY,
      name: "definition-checker",
    });
    thread.unref();
    // It may end between two texts as well.
    thread.on("error", () => undefined);
    thread.on("exit", () => {
      if (this.#thread === thread) this.#thread = undefined;
    });
    const answer = await this.#answer(thread, START_MS);
    if (answer.kind === "message") return thread;
    await this.#end(thread);
    throw new WorkflowError("INTERNAL", "the thread that checks definitions does not start");
  }

  async #end(thread: Worker): Promise<void> {
    if (this.#thread === thread) this.#thread = undefined;
    await thread.terminate();
  }

  /** The next message, or why there is none. */
  #answer(thread: Worker, limitMs: number): Promise<Answer> {
    return new Promise((resolve) => {
      const settle = (answer: Answer): void => {
        cancel();
        thread.off("message", heard);
        thread.off("error", broken);
        thread.off("exit", broken);
        resolve(answer);
      };
      const heard = (value: unknown): void => settle({ kind: "message", value });
      const broken = (): void => settle({ kind: "ended" });
      const cancel = this.#options.clock.after(limitMs, () => settle({ kind: "late" }));
      thread.on("message", heard);
      thread.on("error", broken);
      thread.on("exit", broken);
    });
  }

  /** Ends the thread; the next text starts another one. */
  async close(): Promise<void> {
    await this.#turn;
    if (this.#thread !== undefined) await this.#end(this.#thread);
  }
}

type Answer =
  | { readonly kind: "message"; readonly value: unknown }
  /** The limit passed. */
  | { readonly kind: "late" }
  /** The thread is gone: out of memory, as a rule. */
  | { readonly kind: "ended" };
