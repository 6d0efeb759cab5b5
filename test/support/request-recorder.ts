// Ports that note each request with the size of its document, around the memory stores.
import { jsonBytes } from "../../src/core/json.ts";
import type { Json } from "../../src/core/json.ts";
import type { MemoryStore } from "../../src/memory/memory-store.ts";
import type { JobStore, JournalStore } from "../../src/runtime/ports.ts";
import type { ModelledRequest, Operation } from "./charge-model.ts";

export interface Recorder {
  readonly requests: ModelledRequest[];
  readonly journal: JournalStore;
  readonly jobs: JobStore;
}

/** What the service keeps beside each document: `_rid`, `_self`, `_etag`, `_attachments`, `_ts`. */
const SYSTEM_BYTES = 190;

export function recorded({ journal, jobs }: MemoryStore): Recorder {
  const requests: ModelledRequest[] = [];
  const note = (operation: Operation, container: string, document: object | undefined): void => {
    const bytes = document === undefined ? 0 : jsonBytes(document as Json) + SYSTEM_BYTES;
    requests.push({ operation, container, bytes });
  };
  return {
    requests,
    journal: {
      create(document) {
        note("create", "journal", document);
        return journal.create(document);
      },
      async read(jobId, id) {
        const found = await journal.read(jobId, id);
        note("read", "journal", found);
        return found;
      },
    },
    jobs: {
      ...jobs,
      create(document) {
        note("create", "jobs", document);
        return jobs.create(document);
      },
      async read(jobId) {
        const found = await jobs.read(jobId);
        note("read", "jobs", found?.document);
        return found;
      },
      replace(document, etag) {
        note("replace", "jobs", document);
        return jobs.replace(document, etag);
      },
      async due(now, limit, from) {
        note("query", "jobs", undefined);
        return jobs.due(now, limit, from);
      },
      async list(filter) {
        note("query", "jobs", undefined);
        return jobs.list(filter);
      },
    },
  };
}
