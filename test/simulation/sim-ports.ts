// The ports of a simulated process. Each request gets a name, its site, and goes through the
// world's one gate; what it does to the store or the queue happens when the world says so.
import type { JobDocument, JournalDocument } from "../../src/runtime/ports.ts";
import type { DefinitionStore, JobStore } from "../../src/runtime/ports.ts";
import type { JournalStore, WorkQueue } from "../../src/runtime/ports.ts";
import type { RequestFault } from "./plan.ts";
import type { Actor, SimRequest, Stage } from "./stage.ts";

export interface SimPorts {
  readonly journal: JournalStore;
  readonly jobs: JobStore;
  readonly queue: WorkQueue;
}

const WRITE: readonly RequestFault[] = [
  "refused",
  "throttled",
  "ambiguous",
  "ambiguous",
  "late",
  "frozen",
  "crash_before",
  "crash_after",
  "crash_after",
];
const CONTENDED: readonly RequestFault[] = [...WRITE, "conflict", "conflict"];
const CLAIM: readonly RequestFault[] = [...WRITE, "cancelled"];
const READ: readonly RequestFault[] = ["refused", "throttled", "crash_before", "stale", "stale"];
const SEND: readonly RequestFault[] = ["refused", "ambiguous", "crash_before", "crash_after"];
const PEEK: readonly RequestFault[] = ["refused", "crash_before"];

type Send = <T>(request: SimRequest<T>) => Promise<T>;

export function portsOf(process: Actor, world: Stage): {
  readonly ports: SimPorts;
  readonly definitions: DefinitionStore;
} {
  const { store } = world;
  const request: Send = (given) => world.requests.send(process, given);
  const journal: JournalStore = {
    create: (document) =>
      request({
        site: `journal.create ${kindOf(document)}`,
        jobId: document.job_id,
        faults: faultsOfCreate(document),
        act: () => store.createEntry(document),
      }),
    read: (jobId, id) =>
      request({
        site: `journal.read ${isEntry(id) ? entryKind(id) : kindOfId(id)}`,
        jobId,
        faults: READ,
        act: (lag) => store.readEntry(jobId, id, lag),
      }),
  };
  const jobs = jobsOf(store, request);
  const queue: WorkQueue = {
    send: (message, delay) =>
      request({
        site: `queue.send ${message.kind}`,
        jobId: message.job_id,
        faults: SEND,
        act: () => world.post.send(message, delay),
      }),
    oldest: () =>
      request({
        site: "queue.oldest",
        jobId: "",
        faults: PEEK,
        act: () => world.post.oldest(),
      }),
  };
  const definitions: DefinitionStore = {
    claim: (document) =>
      request({
        site: "definitions.claim",
        jobId: "",
        faults: WRITE,
        act: () => store.claim(document),
      }),
    read: (workflowId, version) =>
      request({
        site: "definitions.read",
        jobId: "",
        faults: PEEK,
        act: () => store.read(workflowId, version),
      }),
  };
  return { ports: { journal, jobs, queue }, definitions };
}

function jobsOf(store: Stage["store"], request: Send): JobStore {
  const at = (site: string, document: JobDocument): { site: string; jobId: string } => ({
    site,
    jobId: document.job_id,
  });
  return {
    create: (document) =>
      request({
        ...at("jobs.create", document),
        faults: WRITE,
        act: () => store.createJob(document),
      }),
    read: (jobId) =>
      request({ site: "jobs.read", jobId, faults: READ, act: (lag) => store.readJob(jobId, lag) }),
    replace: (document, etag) =>
      request({
        ...at("jobs.replace", document),
        faults: CONTENDED,
        act: () => store.replaceJob(document, etag),
      }),
    due: (now, limit, from) =>
      request({
        site: "jobs.due",
        jobId: "",
        faults: READ,
        act: (lag) => store.due(now, { limit, from: from ?? "", lag }),
      }),
    list: async () => ({ documents: [] }),
    countOpen: async () => 0,
  };
}

function isEntry(id: string): boolean {
  const first = id.charCodeAt(0);
  return first >= 48 && first <= 57;
}

function faultsOfCreate({ id }: JournalDocument): readonly RequestFault[] {
  if (isEntry(id)) return CONTENDED;
  return kindOfId(id) === "claim" ? CLAIM : WRITE;
}

function entryKind(id: string): string {
  return id === "0" ? "creation" : "entry";
}

function kindOf(document: JournalDocument): string {
  const { id } = document;
  if (!isEntry(id)) return kindOfId(id);
  return document["result_data"] === undefined ? entryKind(id) : "terminal entry";
}

/** `out`, `claim`, `chunk`, `poison`, `checkpoint`. */
function kindOfId(id: string): string {
  return id.slice(0, id.indexOf(":"));
}
