// The names of everything the app owns in Azure, and the shape of its containers: the one place.
// The infrastructure template repeats them; a test compares both.
import type { ContainerDefinition } from "@azure/cosmos";

export const JOURNAL_CONTAINER = "journal";
export const JOBS_CONTAINER = "jobs";
export const DEFINITIONS_CONTAINER = "definitions";
/** One document: the numbers over all jobs. */
export const STATS_CONTAINER = "stats";

export const WORK_QUEUE = "holdfast-work";
/** The Functions host derives this name itself: `<queue>-poison`. */
export const POISON_QUEUE = "holdfast-work-poison";
export const QUEUE_NAMES = [WORK_QUEUE, POISON_QUEUE] as const;

/** The setting that the queue and timer triggers name as their connection. */
export const STORAGE_CONNECTION = "AzureWebJobsStorage";

/** Paths that lists and the sweeper filter or sort by; nothing else of a job is indexed. */
const JOB_INDEX_FIELDS = [
  "job_id",
  "status",
  "workflow_id",
  "workflow_version",
  "workflow_digest",
  "correlation_id",
  "idempotency_key",
  "submitted_by",
  "authenticated_as",
  "created_at",
  "wake_at",
] as const;

/** Lists of texts that a list may ask for one of. */
const JOB_INDEX_LISTS = ["tags"] as const;

const NEWEST_FIRST = [
  { path: "/created_at", order: "descending" },
  { path: "/job_id", order: "descending" },
] as const;

/** A list filtered by one of these also sorts by it, so that one composite index serves both. */
export const SORTED_FILTERS = ["status", "workflow_id"] as const;

/** No default expiry, but `ttl` of an item counts. */
const TTL_PER_ITEM = -1;

export const CONTAINERS: readonly (ContainerDefinition & { readonly id: string })[] = [
  {
    id: JOURNAL_CONTAINER,
    partitionKey: { paths: ["/job_id"] },
    defaultTtl: TTL_PER_ITEM,
    // Expiry needs an indexing mode other than "none", so everything is excluded instead.
    indexingPolicy: {
      indexingMode: "consistent",
      automatic: true,
      includedPaths: [],
      excludedPaths: [{ path: "/*" }],
    },
  },
  {
    id: JOBS_CONTAINER,
    partitionKey: { paths: ["/job_id"] },
    defaultTtl: TTL_PER_ITEM,
    indexingPolicy: {
      indexingMode: "consistent",
      automatic: true,
      includedPaths: [
        ...JOB_INDEX_FIELDS.map((field) => ({ path: `/${field}/?` })),
        ...JOB_INDEX_LISTS.map((field) => ({ path: `/${field}/[]/?` })),
      ],
      excludedPaths: [{ path: "/*" }],
      compositeIndexes: [
        [...NEWEST_FIRST],
        ...SORTED_FILTERS.map((field) => [
          { path: `/${field}`, order: "ascending" as const },
          ...NEWEST_FIRST,
        ]),
      ],
    },
  },
  {
    id: STATS_CONTAINER,
    partitionKey: { paths: ["/id"] },
    indexingPolicy: {
      indexingMode: "consistent",
      automatic: true,
      includedPaths: [],
      excludedPaths: [{ path: "/*" }],
    },
  },
  {
    id: DEFINITIONS_CONTAINER,
    partitionKey: { paths: ["/workflow_id"] },
    indexingPolicy: {
      indexingMode: "consistent",
      automatic: true,
      includedPaths: [],
      excludedPaths: [{ path: "/*" }],
    },
  },
];
