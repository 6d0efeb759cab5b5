// The thread that reads YAML of strangers: one text in, one verdict out. It is a bundle of its own
// inside the app's file; a hostile text holds up this thread alone, until somebody ends it.
import { parentPort } from "node:worker_threads";
import { checkDefinition, type DefinitionText } from "./check-definition.ts";

parentPort?.on("message", (text: DefinitionText) => {
  parentPort?.postMessage(checkDefinition(text));
});
parentPort?.postMessage("ready");
