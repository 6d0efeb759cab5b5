// One contract, every implementation: in memory, and Azure's adapters against the emulators.
import { afterAll, beforeAll, describe } from "vitest";
import { startTestStores } from "../support/stores.ts";
import type { TestStores } from "../support/stores.ts";
import { azureAdapters, memoryAdapters } from "./adapters.ts";
import { archiveContract } from "./archive-contract.ts";
import { countContract } from "./count-contract.ts";
import { listContract } from "./list-contract.ts";
import { adminContract, queueContract } from "./queue-contract.ts";
import {
  definitionContract,
  jobContract,
  journalContract,
  limitContract,
} from "./store-contract.ts";
import { statsContract } from "./stats-contract.ts";
import type { Open } from "./store-contract.ts";

let stores: TestStores;
beforeAll(async () => {
  stores = await startTestStores();
});
afterAll(() => stores.stop());

const OPENERS: readonly (readonly [string, Open])[] = [
  ["memory", memoryAdapters],
  ["azure", () => azureAdapters(stores)],
];

describe.each(OPENERS)("%s", (_name, open) => {
  describe("journal", () => {
    journalContract(open);
  });
  describe("limits", () => {
    limitContract(open);
  });
  describe("jobs", () => {
    jobContract(open);
  });
  describe("lists", () => {
    listContract(open);
  });
  describe("numbers over all jobs", () => {
    statsContract(open);
  });
  describe("counts", () => {
    countContract(open);
  });
  describe("archive", () => {
    archiveContract(open);
  });
  describe("definitions", () => {
    definitionContract(open);
  });
  describe("queue", () => {
    queueContract(open);
  });
  describe("administration", () => {
    adminContract(open);
  });
});
