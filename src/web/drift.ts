// Asks for today's files of a job's workflow and compares them with its pin, once per view and
// again when the reader comes back to the tab.
import type { Snapshot, WorkflowVersions } from "../api/wire.ts";
import type { Client } from "../client/client.ts";
import { driftOf } from "./drift-model.ts";
import type { Drift } from "./drift-model.ts";
import { useLoaded, useTimesSeen } from "./loading.ts";
import type { Loaded } from "./loading.ts";
import { isNotFound, useSession } from "./session.ts";

/** Undefined until the snapshot is there. */
export function useDrift(snapshot: Snapshot | undefined): Loaded<Drift | undefined> {
  const { client } = useSession();
  const moved = useTimesSeen();
  const load = async (signal: AbortSignal) => {
    if (snapshot === undefined) return undefined;
    return driftOf(snapshot, await versionsOf(client, { id: snapshot.workflow_id, signal }));
  };
  return useLoaded(load, { subject: snapshot?.workflow_id ?? "", moved });
}

type Versions = WorkflowVersions["versions"];

/** Undefined where the workflow has no file today. */
async function versionsOf(
  client: Client,
  { id, signal }: { readonly id: string; readonly signal: AbortSignal },
): Promise<Versions | undefined> {
  try {
    return (await client.workflow(id, { signal })).versions;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
