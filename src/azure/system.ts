// The clock and the randomness of a real process. Timers never keep the process alive; ids and
// fractions come from the system's own generator, so nobody can guess the next one.
import { randomBytes } from "node:crypto";
import type { Instant } from "../core/instant.ts";
import { epochMs, instantOf } from "../core/instant.ts";
import type { Clock, Randomness } from "../runtime/ports.ts";
import { inTurn } from "../runtime/turn.ts";

/** Node fires a timer at once when it is asked for more than this. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => instantOf(Date.now()),
  after(ms, callback) {
    if (ms <= 0) return inTurn(callback);
    const delayMs = Math.min(ms, LONGEST_TIMER_MS);
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

export const systemRandomness: Randomness = {
  fraction: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  uuid: uuidv7,
  writeId: () => randomBytes(9).toString("base64url"),
};

/** RFC 9562: 48 bits of Unix milliseconds, version, variant, and 74 random bits. */
function uuidv7(now: Instant): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(epochMs(now), 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}
