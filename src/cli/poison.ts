// The entry of `npm run poison`: the app's own stores and queues under the operator's command.
// Nothing connects before the arguments are understood.
import { cosmosStores } from "../azure/cosmos-stores.ts";
import { keptList, poisonQueues } from "../azure/poison-stores.ts";
import { systemClock, systemRandomness } from "../azure/system.ts";
import type { PoisonPorts } from "../runtime/poison-desk.ts";
import { operate } from "./operator.ts";
import { poisonCommand } from "./poison-command.ts";

await operate(({ args, stores, output }) => {
  const ports = (): PoisonPorts => {
    const { cosmos, queues } = stores();
    return {
      journal: cosmosStores(cosmos).journal,
      kept: keptList(cosmos),
      queues: poisonQueues(queues),
      clock: systemClock,
      randomness: systemRandomness,
    };
  };
  return poisonCommand(args, ports, output);
});
