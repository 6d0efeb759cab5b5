// Every bound of the engine, with the reason for its number. Passing one is a named error and,
// for a job, a terminal status: nothing stays running because something did not fit.

/** A snapshot must fit the first journal entry beside inputs and YAML source (Cosmos: 2 MB). */
export const MAX_SNAPSHOT_BYTES = 256 * 1024;
/** A hostile 64 KiB YAML file costs at most 2.5 s to parse; larger ones grow quadratically. */
export const MAX_SOURCE_BYTES = 64 * 1024;
/** Inputs live in the first journal entry with the snapshot. */
export const MAX_INPUT_BYTES = 256 * 1024;
/** A submission: inputs plus the fields around them. */
export const MAX_BODY_BYTES = 512 * 1024;
/**
 * The JSON pointer of a value in a workflow file. Every value below a long key repeats it; above
 * 16,383 characters V8 hashes a text by its length alone, and thousands of them took minutes.
 */
export const MAX_POINTER_CHARS = 2048;
/** A projection holds one state per node; 500 keep it far below 2 MB. */
export const MAX_NODES = 500;
/** 10,000 items in chunks of 32 are 313 chunk states in the projection. */
export const MAX_ITEMS = 10_000;
/** Each name costs a walk over what the handlers of the job give, to mask its value. */
export const MAX_SECRETS = 20;
/** Items one message handles at most; they run concurrently in one process. */
export const MAX_CHUNK_ITEMS = 32;
/** Up to this many items each item gets a chunk of its own: nothing to amortise. */
export const SINGLE_ITEM_CHUNKS = 8;
/** An output up to this size stands inside its entry; a larger one becomes an object. */
export const MAX_INLINE_OUTPUT_BYTES = 8 * 1024;
/** Inline outputs of one entry together, so that many parallel outcomes still fit it. */
export const MAX_INLINE_ENTRY_BYTES = 64 * 1024;
/** Inline outputs that the folded state keeps; later ones are read from their entries. */
export const MAX_INLINE_STATE_BYTES = 256 * 1024;
/** Larger data travels as a URL. Leaves room under the 2 MB of a Cosmos item. */
export const MAX_OUTPUT_BYTES = 1024 * 1024;
/** A value of result_data stands in the terminal entry up to this size ... */
export const MAX_INLINE_RESULT_BYTES = 4 * 1024;
/** ... and together up to this one; the reserve that lets the terminal entry always fit. */
export const MAX_INLINE_RESULTS_BYTES = 64 * 1024;
/** Stored error text; a 64 KB exception text once hung a peer's jobs. */
export const MAX_ERROR_BYTES = 4 * 1024;
/** Log lines and bytes that travel with an attempt's outcome. */
export const MAX_LOG_LINES = 20;
export const MAX_LOG_BYTES = 2 * 1024;
/**
 * Large outputs that one answer of `/result` fills in, by their stored bytes; further ones stay
 * references. Empty maps take twenty times their bytes in memory, so this is at most 170 MB.
 */
export const MAX_RESULT_BYTES = 8 * 1024 * 1024;
/** Of these, how much is asked of the store at a time: four of the largest, or many small ones. */
export const MAX_READ_AHEAD_BYTES = 4 * 1024 * 1024;
/** Depth of any JSON we accept; zod and JSON.stringify overflow near 20,000. */
export const MAX_JSON_DEPTH = 64;
/**
 * Values in any JSON we accept, keys aside; 1 MB of rows has some 100,000. Walking, parsing and
 * hashing that many takes at most 50 ms each; parts that are shared could stand for 2^64.
 */
export const MAX_JSON_VALUES = 200_000;
/** Keys of one map; putting more in order takes longer. What has more is a list. */
export const MAX_MAP_KEYS = 25_000;
/** Source of one expression, and of one templated string. */
export const MAX_EXPRESSION_CHARS = 1024;
export const MAX_TEMPLATE_CHARS = 16 * 1024;
/** Syntax nodes and nesting of one expression. */
export const MAX_EXPRESSION_NODES = 400;
export const MAX_EXPRESSION_DEPTH = 32;
/** Steps of one evaluation, charged by elements and characters touched; at most 50 ms. */
export const MAX_EVALUATION_STEPS = 100_000;
/** Large item outputs that one fan_in reads; they are in memory together. */
export const MAX_FAN_IN_BYTES = 64 * 1024 * 1024;
/** Steps of all cheap nodes of one transition; what is left goes on by a message. */
export const MAX_TRANSITION_STEPS = 1_000_000;
/** Rendered size of one params object or one expression's value. */
export const MAX_RENDERED_BYTES = 1024 * 1024;
/** Tries that `retry.max_attempts` may ask for. */
export const MAX_ATTEMPTS = 100;
/** Lost attempts of one node before WORKER_LOST: a handler that kills its process must end. */
export const MAX_LOST_ATTEMPTS = 3;
/** Poison reports for one attempt before MESSAGE_POISONED. */
export const MAX_POISONED = 3;
/** How long a handler may be missing from every build during a rolling deploy. */
export const HANDLER_MISSING_SECONDS = 60 * 60;
/** host.json functionTimeout is 600 s; an in-app attempt ends a minute before it. */
export const MAX_TASK_TIMEOUT_SECONDS = 540;
export const DEFAULT_TASK_TIMEOUT_SECONDS = 300;
/** Seven days by default, thirty at most. */
export const DEFAULT_JOB_TIMEOUT_SECONDS = 7 * 24 * 3600;
export const MAX_JOB_TIMEOUT_SECONDS = 30 * 24 * 3600;
/** The most a job may be suspended; part of the journal's TTL. */
export const MAX_SUSPENDED_SECONDS = 30 * 24 * 3600;
/** How long a finished job is kept unless settings say otherwise; in days, 1 to 3,650. */
export const RETENTION_SECONDS = 90 * 24 * 3600;
export const MIN_RETENTION_DAYS = 1;
export const MAX_RETENTION_DAYS = 3650;
/** A projection goes so long before its journal: clocks and refreshes differ by seconds. */
export const EXPIRY_MARGIN_SECONDS = 3600;
/** A projection that is written after its time stays so long, for whoever asked for the job. */
export const MIN_EXPIRY_SECONDS = 3600;
/** A retry never waits longer. */
export const MAX_RETRY_DELAY_SECONDS = 24 * 3600;
/** Re-sends of a queued node: gap doubles up to this. */
export const MAX_RESEND_GAP_SECONDS = 480;
/** A message that waits for the world is put back for so long; then the sweeper sends another. */
export const MAX_DEFERRED_SECONDS = 15 * 60;
/** It comes each second at most: 900 times, 1,020 where clocks are two minutes apart. */
export const MAX_DEFERRALS = 1_200;
/** A message from further ahead is forged, and would be put back until then; clocks differ less. */
export const MAX_CLOCK_AHEAD_SECONDS = 2 * 60;
/** Submission labels. */
export const MAX_TAGS = 20;
export const MAX_LABEL_CHARS = 256;
/** Issues of one answer: nobody mends more at a time, and hostile texts have tens of thousands. */
export const MAX_ISSUES = 100;
/** The message, hint or pointer of one issue: a name may be as long as the text it stands in. */
export const MAX_ISSUE_BYTES = 1000;
/** A name in a message; no valid name is longer. */
export const MAX_NAME_BYTES = 64;
/** Pairs of letters that one hint may compare: 5 ms at the worst, 700 names of 12 letters. */
export const MAX_HINT_PAIRS = 100_000;
/** Names that one message lists. */
export const MAX_LISTED_NAMES = 20;
/** Callers whose rate a process remembers, at about 200 bytes each. */
export const MAX_REMEMBERED_CALLERS = 10_000;
/** Versions of workflows that the numbers over all jobs name: 2 KB each in one document of 2 MB. */
export const MAX_STATS_VERSIONS = 200;
