// The entry of `npm run export` and `npm run purge`: the app's own stores under the operator's
// command. Nothing connects before the arguments are understood.
import { archiveStore } from "../azure/archive-stores.ts";
import { systemClock } from "../azure/system.ts";
import { archiveCommand } from "./archive-command.ts";
import { exportFolder } from "./export-folder.ts";
import { operatorStores } from "./operator.ts";

let close = (): void => undefined;

const tools = {
  ports: () => {
    const { cosmos } = operatorStores();
    close = () => cosmos.reset();
    return { store: archiveStore(cosmos), clock: systemClock };
  },
  folder: exportFolder,
};

const output = {
  out: (line: string) => console.log(line),
  err: (line: string) => console.error(line),
};

process.exitCode = await archiveCommand(process.argv.slice(2), tools, output);
close();
