// The entry of `npm run export` and `npm run purge`: the app's own stores under the operator's
// command. Nothing connects before the arguments are understood.
import { archiveStore } from "../azure/archive-stores.ts";
import { systemClock } from "../azure/system.ts";
import { archiveCommand } from "./archive-command.ts";
import { exportFolder } from "./export-folder.ts";
import { operate } from "./operator.ts";

await operate(({ args, stores, output }) => {
  const ports = () => ({ store: archiveStore(stores().cosmos), clock: systemClock });
  return archiveCommand(args, { ports, folder: exportFolder }, output);
});
