// The entry of `npm run poison`: the app's own stores under the operator's command. Nothing
// connects before the arguments are understood.
import { cosmosStores } from "../azure/cosmos-stores.ts";
import { keptList, poisonQueues } from "../azure/poison-stores.ts";
import { systemClock, systemRandomness } from "../azure/system.ts";
import type { PoisonPorts } from "../runtime/poison-desk.ts";
import { operatorStores } from "./operator.ts";
import { poisonCommand } from "./poison-command.ts";

let close = (): void => undefined;

function connected(): PoisonPorts {
  const { cosmos, queues } = operatorStores();
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
