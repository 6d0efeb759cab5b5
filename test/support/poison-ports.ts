// The ports of the operator's command in memory: a journal, a poison queue, and what was sent.
import type { JsonObject } from "../../src/core/json.ts";
import { POISON_PARTITION } from "../../src/runtime/kept-message.ts";
import type { PoisonBody } from "../../src/runtime/kept-message.ts";
import type { PoisonPorts, StandingMessage } from "../../src/runtime/poison-desk.ts";
import type { TestRuntime } from "./runtime.ts";

export interface TestPoisonPorts extends PoisonPorts {
  readonly standing: StandingMessage[];
  readonly sent: PoisonBody[];
}

/** Over a runtime's store, clock and work queue. */
export function poisonPorts(runtime: TestRuntime): TestPoisonPorts {
  const { engine } = runtime.first;
  const standing: StandingMessage[] = [];
  const sent: PoisonBody[] = [];
  return {
    standing,
    sent,
    journal: engine.journal,
    kept: { list: async (limit) => listed(runtime).slice(0, limit) },
    queues: {
      peek: async () => [...standing],
      async take(messageId) {
        const index = standing.findIndex(({ message_id }) => message_id === messageId);
        const found = standing[index];
        return found && { body: found.body, done: async () => void standing.splice(index, 1) };
      },
      async sendWork(body) {
        sent.push(body);
        if (body.encoding === "text") runtime.queue.put(body.text);
      },
    },
    clock: runtime.clock,
    randomness: engine.randomness,
  };
}

function listed(runtime: TestRuntime): readonly JsonObject[] {
  const documents = runtime.store.journalOf(POISON_PARTITION);
  return documents.map(({ text: _text, sent: _sent, ...rest }) => rest);
}
