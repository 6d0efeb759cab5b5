// Waits until both stores answer, and says in words which one does not. Any HTTP answer counts: the
// app's own checks tell the rest.

import { setTimeout as pause } from "node:timers/promises";
import { QueueServiceClient } from "@azure/storage-queue";
import type { StoreSettings } from "./emulators.ts";
import { StartupProblem } from "./startup-problem.ts";

const BOUND_MS = 20_000;
const INTERVAL_MS = 200;

export async function waitForStores(settings: StoreSettings, boundMs = BOUND_MS): Promise<void> {
  await Promise.all([
    answering("COSMOS_ENDPOINT", settings.COSMOS_ENDPOINT, boundMs),
    answering("AzureWebJobsStorage", queueUrl(settings.AzureWebJobsStorage), boundMs),
  ]);
}

function queueUrl(connectionString: string): string {
  try {
    return QueueServiceClient.fromConnectionString(connectionString).url;
  } catch {
    throw new StartupProblem("AzureWebJobsStorage is no connection string of a storage account.");
  }
}

async function answering(setting: string, url: string, boundMs: number): Promise<void> {
  const deadline = performance.now() + boundMs;
  let origin: string;
  try {
    origin = new URL(url).origin;
  } catch {
    throw new StartupProblem(`${setting} has no valid address.`);
  }
  while (!(await answers(origin))) {
    if (performance.now() >= deadline) {
      throw new StartupProblem(
        `${setting}: nothing answers at ${origin} within ${Math.round(boundMs / 1000)} s. `
          + "Is it running? Unset it to use stores in memory.",
      );
    }
    await pause(INTERVAL_MS);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await response.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
