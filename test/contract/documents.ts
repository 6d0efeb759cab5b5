// Builders of stored documents; a test names only the members that it is about.
import { randomUUID } from "node:crypto";
import type { Message } from "../../src/core/message.ts";
import type {
  DefinitionDocument,
  JobDocument,
  JournalDocument,
} from "../../src/runtime/ports.ts";

const AT = "2026-11-22T10:00:00.000Z";

export function entry(members: Partial<JournalDocument> = {}): JournalDocument {
  return { id: "1", job_id: randomUUID(), schema: 1, write_id: randomUUID(), ...members };
}

export function job(members: Partial<JobDocument> = {}): JobDocument {
  return {
    id: "job",
    job_id: randomUUID(),
    schema: 1,
    write_id: randomUUID(),
    seq: 0,
    status: "pending",
    workflow_id: "echo_test",
    workflow_version: 1,
    workflow_digest: "sha256:00",
    created_at: AT,
    updated_at: AT,
    ...members,
  };
}

export function definition(members: Partial<DefinitionDocument> = {}): DefinitionDocument {
  return {
    id: "version:1",
    workflow_id: `w_${randomUUID().slice(0, 8)}`,
    version: 1,
    schema: 1,
    write_id: randomUUID(),
    workflow_digest: "sha256:00",
    source_digest: "sha256:01",
    source: "workflow_id: echo_test\n",
    created_at: AT,
    ...members,
  };
}

export function message(members: Partial<Message> = {}): Message {
  return {
    v: 1,
    kind: "wake",
    job_id: randomUUID(),
    rev: 0,
    first_sent_at: AT,
    deferrals: 0,
    ...members,
  };
}
