// The primitives on the items of one container: settled create, point read, settled replace, query.
// Limits are checked before a write, the service's own members are taken off after a read, and what
// a port may see of a failure is a WorkflowError.
import type { Container, SqlQuerySpec } from "@azure/cosmos";
import { WorkflowError } from "../core/error.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import type { CosmosHandle } from "./cosmos-client.ts";
import { OWNER_NOT_FOUND, READ_SESSION_NOT_AVAILABLE } from "./cosmos-failure.ts";
import { createSettled, replaceSettled, retrying } from "./cosmos-request.ts";
import type { Pace } from "./cosmos-request.ts";
import { assertId, assertStorable } from "../runtime/document-limits.ts";

export interface Writable {
  readonly id: string;
  readonly write_id: string;
  readonly ttl?: number;
}

export interface Found {
  readonly document: JsonObject;
  readonly etag: string;
}

export class CosmosDocuments {
  readonly #handle: CosmosHandle;
  readonly #pace: Pace;
  readonly #name: string;

  constructor(handle: CosmosHandle, pace: Pace, name: string) {
    this.#handle = handle;
    this.#pace = pace;
    this.#name = name;
  }

  async create(document: Writable, partition: string): Promise<"created" | "exists"> {
    assertStorable(document, partition);
    return createSettled(
      {
        what: `create in ${this.#name}`,
        writeId: document.write_id,
        create: async () => {
          const container = await this.#container();
          await container.items.create(document, { disableAutomaticIdGeneration: true });
        },
        readWriteId: async () => writeIdOf(await this.#point(document.id, partition)),
      },
      this.#pace,
    );
  }

  async replace(
    document: Writable,
    partition: string,
    etag: string,
  ): Promise<{ readonly etag: string } | "conflict"> {
    assertStorable(document, partition);
    return replaceSettled(
      {
        what: `replace in ${this.#name}`,
        writeId: document.write_id,
        replace: async () => {
          const container = await this.#container();
          const answer = await container
            .item(document.id, partition)
            .replace(document, { accessCondition: { type: "IfMatch", condition: etag } });
          return answer.etag;
        },
        read: async () => {
          const found = await this.#point(document.id, partition);
          return found && { writeId: writeIdOf(found) ?? "", etag: found.etag };
        },
      },
      this.#pace,
    );
  }

  async read(id: string, partition: string): Promise<Found | undefined> {
    assertId("id", id);
    assertId("partition key", partition);
    return retrying(`read in ${this.#name}`, () => this.#point(id, partition), this.#pace);
  }

  async query<T = JsonObject>(spec: SqlQuerySpec): Promise<readonly T[]> {
    return retrying(
      `query in ${this.#name}`,
      async () => {
        const container = await this.#container();
        const { resources } = await container.items.query<T>(spec).fetchAll();
        return resources;
      },
      this.#pace,
    );
  }

  /** One point read: found, absent, or a failure for the wrapper to judge. */
  async #point(id: string, partition: string): Promise<Found | undefined> {
    const container = await this.#container();
    const answer = await container.item(id, partition).read<Record<string, unknown>>();
    if (answer.statusCode === 404) return this.#absent(answer.substatus);
    const item = answer.resource;
    if (!isJsonObject(item)) throw new Error("an answer without a document");
    return { document: withoutSystemMembers(item), etag: answer.etag };
  }

  #absent(substatus: number | undefined): undefined {
    if (substatus === READ_SESSION_NOT_AVAILABLE) {
      throw new Error("the replica that answered is behind this session");
    }
    if (substatus === OWNER_NOT_FOUND) {
      throw new WorkflowError("RESOURCE_MISSING", `container "${this.#name}" is missing`, {
        retryable: true,
      });
    }
    return undefined;
  }

  #container(): Promise<Container> {
    return this.#handle.container(this.#name);
  }
}

function writeIdOf(found: Found | undefined): string | undefined {
  const writeId = found?.document["write_id"];
  return typeof writeId === "string" ? writeId : undefined;
}

export function withoutSystemMembers(item: JsonObject): JsonObject {
  const { _rid, _self, _etag, _attachments, _ts, ...document } = item;
  return document;
}
