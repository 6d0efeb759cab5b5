// Poisoned messages on the real stack: what the host gives up is kept, listed by the operator's
// command in a process of its own, put back, and does what a message does.
import { QueueServiceClient } from "@azure/storage-queue";
import type { QueueClient } from "@azure/storage-queue";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HOLD_QUEUE, appFixture } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";
import { operatorProgram } from "../support/operator-program.ts";
import type { OperatorProgram } from "../support/operator-program.ts";
import { waitFor } from "../support/wait-until.ts";

const SAY = `
workflow_id: say
version: 1
nodes:
  start: { type: start, next: say }
  say: { type: task, handler: echo, params: { message: hello }, next: end }
  end: { type: end }
`;

/** The stores are young and nothing was lost: no sweeper may help here. */
const NO_SWEEP = { HOLDFAST_SWEEP_SCHEDULE: "0 0 0 1 1 *" };

let fixture: AppFixture;
let poison: OperatorProgram;
beforeAll(async () => {
  fixture = await appFixture();
  poison = await operatorProgram("poison");
});
afterAll(async () => {
  await fixture.stop();
  await poison.remove();
});

interface Row {
  readonly id: string;
  readonly from: string;
  readonly readable: boolean;
  readonly kind?: string;
  readonly job_id?: string;
  readonly put_back: number;
}

async function listed(app: StartedApp): Promise<readonly Row[]> {
  const { code, out, err } = await poison.run(app, ["list", "--json"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return (JSON.parse(out) as { messages: readonly Row[] }).messages;
}

function queue(name: string): QueueClient {
  const connection = fixture.stores.AzureWebJobsStorage;
  return QueueServiceClient.fromConnectionString(connection).getQueueClient(name);
}

/** The message of a kind, taken off the queue as the host does when it gives up. */
async function taken(client: QueueClient, kind: string): Promise<string> {
  const isIt = (text: string) => Buffer.from(text, "base64").toString().includes(`"${kind}"`);
  const { receivedMessageItems } = await client.receiveMessages({ numberOfMessages: 32 });
  const item = receivedMessageItems.find(({ messageText }) => isIt(messageText));
  if (item === undefined) throw new Error(`no ${kind} message`);
  await client.deleteMessage(item.messageId, item.popReceipt);
  return item.messageText;
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

test("what the host gave up is kept, listed, put back, and moves its job on", async () => {
  const held = { ...NO_SWEEP, ...HOLD_QUEUE };
  const app = await fixture.start({ workflows: { "say.yaml": SAY }, env: held });
  const jobId = await app.submit("say");
  const poisoned = async (texts: readonly string[], count: number): Promise<void> => {
    for (const text of texts) await queue("holdfast-work-poison").sendMessage(text);
    const isKept = () => app.lines.filter(({ event }) => event === "message.poisoned").length;
    await waitFor(() => isKept() === count, { what: `${count} messages are kept` });
  };
  const work = queue("holdfast-work");
  const start = await taken(work, "start");
  await poisoned([start], 1);
  // Being told brought the job on by itself. Now its task is given up as well, with garbage.
  const task = await taken(work, "task");
  const forged = base64('{"v":1,"kind":"start","job_id":"forged"}');
  await poisoned([task, base64("garbage \u001b[2J"), forged], 4);
  const rows = (await listed(app)).filter(({ kind }) => kind !== "start");
  expect(rows.map(({ from }) => from)).toEqual(["kept", "kept", "kept"]);
  expect(rows.filter(({ readable }) => readable)).toHaveLength(1);
  const mine = rows.find(({ job_id }) => job_id === jobId)?.id ?? "";
  expect((await poison.run(app, ["show", mine])).out).toContain(jobId);
  // Only the message itself brings the job on: the wake of the report is taken away.
  await work.clearMessages();
  expect((await app.job(jobId)).nodes[1]).toMatchObject({ node_id: "say", status: "queued" });
  expect(await poison.run(app, ["put-back", "--all"])).toMatchObject({
    code: 0,
    out: expect.stringContaining(`${mine} was put back\n`),
  });
  const all = await poison.run(app, ["put-back", ...rows.map(({ id }) => id)]);
  expect(all).toMatchObject({ code: 0, out: expect.stringContaining("was put back already") });
  expect((await listed(app)).map(({ put_back }) => put_back)).toEqual([1, 1, 1, 1]);
  await app.stop();
  const next = await fixture.start({
    database: app.database,
    folder: app.folder,
    env: NO_SWEEP,
  });
  expect((await next.ended(jobId)).status).toBe("completed");
  const invalid = () => next.lines.filter(({ event }) => event === "message.invalid").length === 2;
  await waitFor(invalid, { what: "what is no message is dropped" });
  await next.stop();
});

test("what nobody kept stands in the poison queue, and is kept when it goes back", async () => {
  const off = { "AzureWebJobs.process_poison.Disabled": "true" };
  const app = await fixture.start({ workflows: { "say.yaml": SAY }, env: { ...NO_SWEEP, ...off } });
  expect((await app.get("/health/ready")).status).toBe(200);
  await queue("holdfast-work").sendMessage("this is not base64!");
  const there = async () => (await listed(app)).length === 1;
  await waitFor(there, { what: "the host has moved it" });
  const [row] = await listed(app);
  expect(row).toMatchObject({ from: "queue", readable: false, put_back: 0 });
  expect((await poison.run(app, ["show", row?.id ?? ""])).out).toContain("this is not base64!");
  const { out } = await poison.run(app, ["put-back", "--all"]);
  expect(out).toBe("Nothing to put back.\n");
  expect((await poison.run(app, ["put-back", row?.id ?? ""])).code).toBe(0);
  expect(await listed(app)).toMatchObject([{ from: "kept", put_back: 1 }]);
  const dropped = () => app.lines.some(({ event }) => event === "message.invalid");
  await waitFor(dropped, { what: "the engine drops it" });
  expect((await poison.run(app, ["put-back", row?.id ?? ""])).code).toBe(1);
  await app.stop();
});

test("stores that cannot be reached, and settings that are missing, are said", async () => {
  const app = await fixture.start({ env: { ...NO_SWEEP, ...HOLD_QUEUE } });
  const away = { env: { ...app.env, AzureWebJobsStorage: "" } };
  const { code, out, err } = await poison.run(away, ["list"]);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toContain("AzureWebJobsStorage: missing");
  expect((await poison.run(app, ["nonsense"])).code).toBe(2);
  await app.stop();
});
