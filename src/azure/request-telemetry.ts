// Requests to Cosmos DB and the queues as telemetry: a span each, beneath whatever asked, the
// charge, and conflicts. A send has its span already, for its id travels in the message.
import type { Telemetry } from "../runtime/telemetry.ts";
import type { RequestHook } from "./cosmos-client.ts";

/** 404 answers the question whether something is there; 409 and 412 decide between writers. */
const EXPECTED: ReadonlySet<string> = new Set(["404", "409", "412"]);

export function storeRequests(telemetry: Telemetry, database: string): RequestHook {
  return (operation, status, { ms, request_charge }) => {
    const [container = "", verb = ""] = operation.split(".");
    telemetry.past(
      {
        sort: "store",
        name: operation,
        attributes: {
          "db.system.name": "azure.cosmosdb",
          "db.namespace": database,
          "db.collection.name": container,
          "db.operation.name": verb,
          status,
          request_charge,
        },
      },
      ms,
      failed(status),
    );
    if (request_charge !== undefined) {
      const facts = { container, operation: verb, status };
      telemetry.measure("holdfast.cosmos.request_charge", request_charge, facts);
    }
    if (status === "409" || status === "412") {
      telemetry.measure("holdfast.store.conflicts", 1, { container });
    }
  };
}

export function queueRequests(telemetry: Telemetry): RequestHook {
  return (operation, status, { ms }) => {
    if (operation === "queue.send") return;
    const attributes = { "messaging.system": "azure_storage_queues", status };
    telemetry.past({ sort: "store", name: operation, attributes }, ms, failed(status));
  };
}

function failed(status: string): string | undefined {
  if (status === "lost") return status;
  return Number(status) < 400 || EXPECTED.has(status) ? undefined : status;
}
