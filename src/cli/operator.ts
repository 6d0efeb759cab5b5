// The stores for programs that an operator starts: the app's own settings and adapters, so that
// they work while the app is down. Nothing connects before it is used.
import { cosmosHandle } from "../azure/cosmos-client.ts";
import type { CosmosHandle } from "../azure/cosmos-client.ts";
import { readSettings } from "../azure/settings.ts";
import { queueHandle } from "../azure/storage-queue.ts";
import type { QueueHandle } from "../azure/storage-queue.ts";
import { WorkflowError } from "../core/error.ts";

export interface OperatorStores {
  readonly cosmos: CosmosHandle;
  readonly queues: QueueHandle;
}

/** CONFIGURATION_INVALID with everything that is wrong with the settings. */
export function operatorStores(): OperatorStores {
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
