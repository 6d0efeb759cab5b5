// The entry of `npm run poison`: the app's own settings and adapters under the operator's command.
// It speaks to the stores directly, so it works while the app is down. Nothing connects before the
// arguments are understood.
import { cosmosHandle } from "../azure/cosmos-client.ts";
import { cosmosStores } from "../azure/cosmos-stores.ts";
import { keptList, poisonQueues } from "../azure/poison-stores.ts";
import { readSettings } from "../azure/settings.ts";
import { queueHandle } from "../azure/storage-queue.ts";
import { systemClock, systemRandomness } from "../azure/system.ts";
import { WorkflowError } from "../core/error.ts";
import type { PoisonPorts } from "../runtime/poison-desk.ts";
import { poisonCommand } from "./poison-command.ts";

let close = (): void => undefined;

function connected(): PoisonPorts {
  const read = readSettings(process.env);
  if (!read.ok) {
    const issues = read.issues.map(({ message, hint }) =>
      hint === undefined ? message : `${message} (${hint})`,
    );
    throw new WorkflowError("CONFIGURATION_INVALID", issues.join("; "));
  }
  const { settings } = read;
  const cosmos = cosmosHandle({ connection: settings.cosmos, database: settings.database });
  const queues = queueHandle({ connection: settings.queues });
  close = () => cosmos.reset();
  return {
    journal: cosmosStores(cosmos).journal,
    kept: keptList(cosmos),
    queues: poisonQueues(queues),
    clock: systemClock,
    randomness: systemRandomness,
  };
}

const output = {
  out: (line: string) => console.log(line),
  err: (line: string) => console.error(line),
};

process.exitCode = await poisonCommand(process.argv.slice(2), connected, output);
close();
