// A job as people name it: its whole id, the beginning or the end of one of the newest 200, or
// `last`. What names more than one job names none.
import type { Client } from "../client/client.ts";
import { CommandProblem, EXIT, safe } from "./terminal.ts";
import { shortId } from "./job-text.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const PART = /^[0-9a-f-]{6,36}$/i;
const LOOKED_AT = 200;

/** Errors: CommandProblem; the client's. */
export async function jobIdOf(client: Client, given: string, signal: AbortSignal): Promise<string> {
  if (UUID.test(given)) return given.toLowerCase();
  if (given === "last") {
    const { jobs } = await client.jobs({ limit: 1, signal });
    const [newest] = jobs;
    if (newest === undefined) throw new CommandProblem("there is no job yet");
    return newest.job_id;
  }
  if (!PART.test(given)) {
    throw new CommandProblem(`job "${safe(given)}": expected an id, six of its digits, or last`, {
      exit: EXIT.usage,
      hint: "holdfast jobs lists them",
    });
  }
  const part = given.toLowerCase();
  const { jobs } = await client.jobs({ limit: LOOKED_AT, signal });
  const ids = jobs.map(({ job_id }) => job_id);
  const found = ids.filter((id) => id.startsWith(part) || id.endsWith(part));
  const [only, other] = found;
  if (only === undefined) {
    const message = `job "${safe(given)}": none of the newest ${ids.length} begins or ends so`;
    throw new CommandProblem(message, { hint: "give the whole id" });
  }
  if (other === undefined) return only;
  const some = found.slice(0, 5).map(shortId).join(", ");
  throw new CommandProblem(`job "${safe(given)}": names ${found.length} jobs: ${some}`, {
    hint: "give more of the id",
  });
}
