// What the programs that an operator starts run in: the app's own stores by its settings, so that
// they work while the app is down. Nothing connects before it is used.
import { cosmosHandle } from "../azure/cosmos-client.ts";
import type { CosmosHandle } from "../azure/cosmos-client.ts";
import { readSettings } from "../azure/settings.ts";
import { queueHandle } from "../azure/storage-queue.ts";
import type { QueueHandle } from "../azure/storage-queue.ts";
import { WorkflowError } from "../core/error.ts";
import type { Output } from "./operator-command.ts";

export interface OperatorStores {
  readonly cosmos: CosmosHandle;
  readonly queues: QueueHandle;
}

export interface Operation {
  readonly args: readonly string[];
  /** CONFIGURATION_INVALID with everything that is wrong with the settings. */
  readonly stores: () => OperatorStores;
  readonly output: Output;
}

/** Runs a command to its exit code, and lets go of the stores if it asked for them. */
export async function operate(command: (operation: Operation) => Promise<number>): Promise<void> {
  let close = (): void => undefined;
  process.exitCode = await command({
    args: process.argv.slice(2),
    stores() {
      const stores = operatorStores();
      close = () => stores.cosmos.reset();
      return stores;
    },
    output: { out: (line) => console.log(line), err: (line) => console.error(line) },
  });
  close();
}

function operatorStores(): OperatorStores {
  const read = readSettings(process.env);
  if (!read.ok) {
    const issues = read.issues.map(({ message, hint }) =>
      hint === undefined ? message : `${message} (${hint})`,
    );
    throw new WorkflowError("CONFIGURATION_INVALID", issues.join("; "));
  }
  const { settings } = read;
  return {
    cosmos: cosmosHandle({ connection: settings.cosmos, database: settings.database }),
    queues: queueHandle({ connection: settings.queues }),
  };
}
