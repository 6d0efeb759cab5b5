// Export and purge on the real stack: the operator's programs in processes of their own, against
// the stores of a running app, and with an identity that may not delete.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { CosmosClient } from "@azure/cosmos";
import type { Container } from "@azure/cosmos";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startFaultProxy } from "../contract/fault-proxy.ts";
import { appFixture, ROOT } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";
import { operatorProgram } from "../support/operator-program.ts";
import type { OperatorProgram } from "../support/operator-program.ts";

/** The last character ends a line for some readers of lines, but not in JSON. */
const SAY = `
workflow_id: say
version: 1
inputs:
  text: { type: string, default: "a\\u2028b" }
nodes:
  start: { type: start, next: say }
  say: { type: task, handler: echo, params: { message: "{{ inputs.text }}" }, next: end }
  end: { type: end }
`;
const run = promisify(execFile);

let fixture: AppFixture;
let archive: OperatorProgram;
let folder: string;
beforeAll(async () => {
  fixture = await appFixture();
  folder = mkdtempSync(path.join(tmpdir(), "holdfast-export-"));
  archive = await operatorProgram("archive");
});
afterAll(async () => {
  await fixture.stop();
  await archive.remove();
  rmSync(folder, { recursive: true, force: true });
});

function container({ database }: StartedApp, name: string): Container {
  const { COSMOS_ENDPOINT: endpoint, COSMOS_KEY: key } = fixture.stores;
  const connectionPolicy = { enableEndpointDiscovery: false };
  const client = new CosmosClient({ endpoint, key, connectionPolicy });
  return client.database(database).container(name);
}

async function documentsOf(app: StartedApp, jobId: string): Promise<number> {
  const counts = ["jobs", "journal"].map(async (name) => {
    const query = { query: "SELECT c.id FROM c WHERE c.job_id = @id" };
    const parameters = [{ name: "@id", value: jobId }];
    const { resources } = await container(app, name)
      .items.query({ ...query, parameters })
      .fetchAll();
    return resources.length;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** As if the job had ended long ago: nothing is purged within an hour. */
async function aged(app: StartedApp, jobId: string): Promise<void> {
  const item = container(app, "jobs").item("job", jobId);
  const { resource } = await item.read<Record<string, unknown>>();
  const past = { created_at: "2020-01-01T00:00:00.000Z", completed_at: "2020-01-01T00:01:00.000Z" };
  await item.replace({ ...resource, ...past });
  const zero = container(app, "journal").item("0", jobId);
  const { resource: entry } = await zero.read<Record<string, unknown>>();
  await zero.replace({ ...entry, at: past.created_at });
}

test("what has ended is exported whole and purged; what is left is not touched", async () => {
  const app = await fixture.start({ workflows: { "say.yaml": SAY } });
  const old = await app.run("say");
  const young = await app.run("say");
  expect([old.status, young.status]).toEqual(["completed", "completed"]);
  const [oldId, youngId] = [old.job_id, young.job_id];
  await aged(app, oldId);
  const filter = ["--ended-before", "2020-01-02"];
  const preview = await archive.run(app, ["purge", ...filter]);
  expect(preview).toMatchObject({ code: 0, err: "" });
  expect(preview.out).toContain("1 jobs would be purged; nothing was.");

  const count = await documentsOf(app, oldId);
  const purge = ["purge", ...filter, "--to", folder, "--yes"];
  const purged = await archive.run(app, purge);
  expect(purged).toMatchObject({ code: 0, err: "" });
  expect(purged.out).toContain(`${oldId} purged: ${count} documents, ${oldId}.`);
  expect(await documentsOf(app, oldId)).toBe(0);
  expect((await app.get(`/jobs/${oldId}`)).status).toBe(404);
  expect((await app.get(`/jobs/${youngId}/result`)).status).toBe(200);

  const [file = "", ...others] = readdirSync(folder);
  expect(others).toEqual([]);
  expect(statSync(path.join(folder, file)).mode & 0o077).toBe(0);
  const lines = readFileSync(path.join(folder, file), "utf8").trimEnd().split("\n");
  expect(lines).toHaveLength(count + 2);
  expect(lines.join("")).toContain("a\u2028b");
  expect((await archive.run(app, purge)).out).toBe("0 of 0 jobs purged.\n");
});

test.each(["export", "purge", "poison"])("npm run %s prints nothing of its own", async (script) => {
  const { stdout } = await run("npm", ["run", "--silent", script, "--", "--help"], { cwd: ROOT });
  const [first = "", second] = stdout.split("\n");
  expect([/^(?:Jobs|Messages) that .*\.$/.test(first), second]).toEqual([true, ""]);
});

test("a job that has just ended, and one that is not there, are refused by name", async () => {
  const app = await fixture.start({ workflows: { "say.yaml": SAY } });
  const { job_id } = await app.run("say");
  const ids = [job_id, "00000000-0000-7000-8000-000000000000"];
  const { code, err } = await archive.run(app, ["purge", ...ids, "--without-export", "--yes"]);
  expect(code).toBe(1);
  expect(err).toContain(`JOB_NOT_TERMINAL: job ${job_id}: it ended less than an hour ago`);
  expect(err).toContain(`JOB_NOT_FOUND: job ${ids[1]}: not found`);
  expect((await app.get(`/jobs/${job_id}`)).status).toBe(200);
});

test("an identity that may not delete purges nothing and says why", async () => {
  const app = await fixture.start({ workflows: { "say.yaml": SAY } });
  const { job_id } = await app.run("say");
  await aged(app, job_id);
  const count = await documentsOf(app, job_id);
  const proxy = await startFaultProxy(fixture.stores.COSMOS_ENDPOINT);
  proxy.always({ on: /^DELETE /, fault: { commits: false, answer: 403 } });
  const proxied = { COSMOS_ENDPOINT: `http://127.0.0.1:${proxy.port}` };
  const purge = ["purge", job_id, "--without-export", "--yes"];
  const { code, err } = await archive.run(app, purge, proxied);
  await proxy.stop();
  expect(code).toBe(1);
  expect(err).toBe(
    "ACCESS_DENIED: delete in journal: this identity may not delete, and the app's must not\n"
      + "hint: an operator's role is needed: operatorPrincipalIds in docs/azure.md\n",
  );
  expect(await documentsOf(app, job_id)).toBe(count);
});
