// What readiness looks at. The route is open, so it must not be a way to make the app ask its
// stores as often as somebody likes, nor to learn their names: an answer is good for a second,
// everybody waits for the same one, and what a check said in detail goes to the log.
import { epochMs } from "../core/instant.ts";
import type { Clock, Log, StoreAdmin } from "../runtime/ports.ts";

const GOOD_FOR_MS = 1_000;

export interface ReadinessOptions {
  readonly admin: Pick<StoreAdmin, "check">;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
}

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** A code, such as STORE_UNAVAILABLE; never the text of a vendor. */
  readonly error?: string;
}

export class Readiness {
  readonly #options: ReadinessOptions;
  #askedAtMs = 0;
  #answer: Promise<readonly Check[]> | undefined;
  #isWaiting = false;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  check(): Promise<readonly Check[]> {
    const nowMs = epochMs(this.#options.clock.now());
    const isOld = Math.abs(nowMs - this.#askedAtMs) >= GOOD_FOR_MS;
    if (this.#answer === undefined || (isOld && !this.#isWaiting)) {
      this.#askedAtMs = nowMs;
      this.#isWaiting = true;
      this.#answer = this.#ask().finally(() => {
        this.#isWaiting = false;
      });
    }
    return this.#answer;
  }

  async #ask(): Promise<readonly Check[]> {
    const checks = await this.#options.admin.check();
    return checks.map(({ name, error }) => {
      if (error === undefined) return { name, ok: true };
      this.#options.log.write("warn", "check.failed", { name, error });
      return { name, ok: false, error: codeIn(error) };
    });
  }
}

/** A failed check opens with its code where it is one of ours. */
function codeIn(error: string): string {
  return /^[A-Z]+(?:_[A-Z]+)*(?=: )/.exec(error)?.[0] ?? "INTERNAL";
}
