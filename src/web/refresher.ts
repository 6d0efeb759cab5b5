// Asks one question at a time. What is asked for while an answer is on its way is asked once more
// after it: an answer that takes longer than what it is about takes to move is shown all the same.
// A question that failed for a reason that passes is asked again.
import { ApiError } from "../client/client.ts";

const AFTER_ERROR_MS = 3000;

export interface Question<T> {
  readonly load: (signal: AbortSignal) => Promise<T>;
  readonly onValue: (value: T) => void;
  readonly onError: (error: unknown) => void;
  /** Ends early, and well, once `signal` is aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class Refresher<T> {
  readonly #question: Question<T>;
  readonly #stop = new AbortController();
  #isAsked = false;
  #isRunning = false;

  constructor(question: Question<T>) {
    this.#question = question;
  }

  ask(): void {
    this.#isAsked = true;
    if (!this.#isRunning) void this.#run();
  }

  /** Nothing is told after this. */
  stop(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const { load, onValue, onError, pause } = this.#question;
    const { signal } = this.#stop;
    this.#isRunning = true;
    while (this.#isAsked && !signal.aborted) {
      this.#isAsked = false;
      try {
        const value = await load(signal);
        if (!signal.aborted) onValue(value);
      } catch (error) {
        if (signal.aborted) break;
        onError(error);
        if (!mayPass(error)) continue;
        await pause(AFTER_ERROR_MS, signal);
        this.#isAsked = true;
      }
    }
    this.#isRunning = false;
  }
}

/** Whether the same question may get an answer later. */
export function mayPass(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status >= 500 || error.status === 429;
}
