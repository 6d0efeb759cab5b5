// What readiness looks at. The route is open, so it must not be a way to make the app ask its
// stores as often as somebody likes, nor to learn their names: an answer is good for a second,
// everybody waits for the same one, and what a check said in detail goes to the log.
import { ERROR_CODES } from "../core/error.ts";
import type { ErrorCode } from "../core/error.ts";
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
  /** What to do about it, where that is known. */
  readonly hint?: string;
}

/** Our own words, the same for everybody: the route is open. */
const HINTS: { readonly [Code in ErrorCode]?: string } = {
  ACCESS_DENIED:
    "the app's identity may not use it: infra/ assigns the roles; one that was just assigned " +
    "takes up to ten minutes to spread",
  RESOURCE_MISSING: "it does not exist: deploy infra/, which creates containers and queues",
  STORE_UNSUPPORTED:
    "the account accepts writes in more than one region, where two workers could both write the " +
    "next entry of a job: use an account with one write region",
  STORE_THROTTLED: "the store has no request units left: raise its throughput if it stays so",
};

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
      const code = codeIn(error) ?? "INTERNAL";
      const hint = HINTS[code];
      return { name, ok: false, error: code, ...(hint === undefined ? {} : { hint }) };
    });
  }
}

/** A failed check opens with its code where it is one of ours. */
export function codeIn(error: string): ErrorCode | undefined {
  const code = /^[A-Z]+(?:_[A-Z]+)*(?=: )/.exec(error)?.[0];
  return ERROR_CODES.find((known) => known === code);
}
