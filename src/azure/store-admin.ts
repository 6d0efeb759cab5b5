// Making, checking and, when a person asks for it, rebuilding the containers and queues. Each
// statement is reported with what came of it; one that fails stops none of the others.
import { randomBytes } from "node:crypto";
import type { ContainerDefinition, CosmosClient, Database } from "@azure/cosmos";
import { WorkflowError } from "../core/error.ts";
import type { StatementReport, StoreAdmin } from "../runtime/ports.ts";
import type { CosmosHandle } from "./cosmos-client.ts";
import { failureOf } from "./cosmos-failure.ts";
import { retrying, systemPace } from "./cosmos-request.ts";
import type { Pace } from "./cosmos-request.ts";
import { CONTAINERS, QUEUE_NAMES } from "./names.ts";
import type { QueueHandle } from "./storage-queue.ts";

export interface AdminOptions {
  readonly cosmos: CosmosHandle;
  readonly queues: QueueHandle;
  readonly pace?: Pace;
}

export function storeAdmin(options: AdminOptions): StoreAdmin {
  return new AzureStoreAdmin(options);
}

class AzureStoreAdmin implements StoreAdmin {
  readonly #cosmos: CosmosHandle;
  readonly #queues: QueueHandle;
  readonly #pace: Pace;

  constructor(options: AdminOptions) {
    this.#cosmos = options.cosmos;
    this.#queues = options.queues;
    this.#pace = options.pace ?? systemPace;
  }

  async prepare(): Promise<readonly StatementReport[]> {
    const reports = [await this.#createDatabase()];
    for (const definition of CONTAINERS) {
      reports.push(
        await this.#statement(`create container ${definition.id}`, async (database) => {
          await database.containers.createIfNotExists(servingBothWays(definition));
        }),
      );
    }
    for (const queue of QUEUE_NAMES) reports.push(await this.#createQueue(queue));
    return reports;
  }

  async mayRebuild(): Promise<boolean> {
    const id = `holdfast-probe-${randomBytes(4).toString("hex")}`;
    const probe = { id, partitionKey: { paths: ["/id"] } };
    const allowed = await this.#try("create a probe container", async () => {
      try {
        const database = await this.#database();
        await database.containers.createIfNotExists(probe);
        return true;
      } catch (error) {
        if (failureOf(error).verdict === "denied") return false;
        throw error;
      }
    });
    if (!allowed) return false;
    await this.#try("delete the probe container", async () => dropped(await this.#database(), id));
    return true;
  }

  async rebuild(): Promise<readonly StatementReport[]> {
    const reports: StatementReport[] = [];
    // Queues first: a message must not meet a container that is new and empty.
    for (const queue of QUEUE_NAMES) {
      reports.push(await this.#createQueue(queue));
      reports.push(
        await reported(`clear queue ${queue}`, () =>
          this.#queues.use("clear", queue, (client) => client.clearMessages()),
        ),
      );
    }
    reports.push(await this.#createDatabase());
    for (const definition of CONTAINERS) {
      reports.push(
        await this.#statement(`drop container ${definition.id}`, (database) =>
          dropped(database, definition.id),
        ),
      );
      reports.push(
        await this.#statement(`create container ${definition.id}`, async (database) => {
          await database.containers.createIfNotExists(servingBothWays(definition));
        }),
      );
    }
    this.#cosmos.reset();
    return reports;
  }

  async check(): Promise<readonly { readonly name: string; readonly error?: string }[]> {
    const containers = CONTAINERS.map(({ id }) =>
      checked(id, async () => {
        await this.#try(`read container ${id}`, async () => {
          await (await this.#cosmos.container(id)).read();
        });
      }),
    );
    const queues = QUEUE_NAMES.map((queue) =>
      checked(queue, () => this.#queues.use("check", queue, (client) => client.getProperties())),
    );
    return Promise.all([...containers, ...queues]);
  }

  #createDatabase(): Promise<StatementReport> {
    const id = this.#cosmos.database;
    return reported(`create database ${id}`, async () => {
      await this.#try("create", async () => {
        const client: CosmosClient = await this.#cosmos.client();
        await client.databases.createIfNotExists({ id });
      });
    });
  }

  #createQueue(queue: string): Promise<StatementReport> {
    return reported(`create queue ${queue}`, () =>
      this.#queues.use("create", queue, (client) => client.createIfNotExists()),
    );
  }

  #statement(
    statement: string,
    run: (database: Database) => Promise<void>,
  ): Promise<StatementReport> {
    return reported(statement, async () => {
      await this.#try(statement, async () => run(await this.#database()));
    });
  }

  async #database(): Promise<Database> {
    return (await this.#cosmos.client()).database(this.#cosmos.database);
  }

  #try<T>(what: string, request: () => Promise<T>): Promise<T> {
    return retrying(what, request, this.#pace);
  }
}

/**
 * Cosmos DB serves an order from a composite index or from its exact reverse; the emulator from
 * an index as it stands alone. What the app makes by itself therefore has both.
 */
function servingBothWays(definition: (typeof CONTAINERS)[number]): ContainerDefinition {
  const { compositeIndexes = [], ...policy } = definition.indexingPolicy ?? {};
  if (compositeIndexes.length === 0) return definition;
  const reversed = compositeIndexes.map((paths) =>
    paths.map(({ path, order }) => ({
      path,
      order: order === "ascending" ? ("descending" as const) : ("ascending" as const),
    })),
  );
  const both = [...compositeIndexes, ...reversed];
  return { ...definition, indexingPolicy: { ...policy, compositeIndexes: both } };
}

async function dropped(database: Database, id: string): Promise<void> {
  try {
    await database.container(id).delete();
  } catch (error) {
    if (failureOf(error).verdict !== "missing") throw error;
  }
}

async function reported(
  statement: string,
  run: () => Promise<unknown>,
): Promise<StatementReport> {
  const error = await problemOf(run);
  return error === undefined ? { statement, ok: true } : { statement, ok: false, error };
}

async function checked(
  name: string,
  run: () => Promise<unknown>,
): Promise<{ readonly name: string; readonly error?: string }> {
  const error = await problemOf(run);
  return error === undefined ? { name } : { name, error };
}

async function problemOf(run: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    if (error instanceof WorkflowError) return `${error.code}: ${error.message}`;
    return error instanceof Error ? error.message : "no error text";
  }
}
