// What every implementation of the stores must do; run for each of them by stores.test.ts.
import { beforeEach, expect, test } from "vitest";
import { canonical } from "../../src/core/canonical.ts";
import { WorkflowError } from "../../src/core/error.ts";
import type { Json } from "../../src/core/json.ts";
import type { JobDocument, JobStore } from "../../src/runtime/ports.ts";
import type { Adapters } from "./adapters.ts";
import { definition, entry, job } from "./documents.ts";

export type Open = () => Promise<Adapters>;

export async function codeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return "nothing was thrown";
  } catch (error) {
    return error instanceof WorkflowError ? error.code : `not ours: ${String(error)}`;
  }
}

function nested(levels: number): Json {
  let value: Json = "bottom";
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Values that a store, a transport or a careless copy could change. */
const AWKWARD: Json = {
  "": "an empty key",
  "a b/c\\d?e#f": 'keys and "quotes"',
  numbers: [0, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, 0.1, 9007199254740991, 1.7976931348623157e308],
  text: "\u0000\u001f\u007f \u2028 é e\u0301 𝒳 👩‍👩‍👧 \ufffd",
  empty: [{}, [], "", null, false],
  deep: nested(60),
  _etag: "ours, below the top",
  constructor_: 1,
  "10": "keys that look like",
  "9": "numbers",
  date: "2026-11-22T10:00:00.000Z",
};

export function journalContract(open: Open): void {
  let adapters: Adapters;
  beforeEach(async () => {
    adapters = await open();
  });

  test("a created document is read back as it was", async () => {
    const document = entry({ payload: { a: [1] }, ttl: 60 });
    expect(await adapters.journal.create(document)).toBe("created");
    expect(await adapters.journal.read(document.job_id, "1")).toEqual(document);
  });

  test("awkward JSON keeps its canonical form", async () => {
    const document = entry({ payload: AWKWARD });
    await adapters.journal.create(document);
    const found = await adapters.journal.read(document.job_id, document.id);
    expect(canonical(found as Json)).toBe(canonical(document as Json));
  });

  test("an absent document is undefined", async () => {
    expect(await adapters.journal.read("no-such-job", "0")).toBeUndefined();
  });

  test("a second creator of an id gets exists and changes nothing", async () => {
    const first = entry({ by: "first" });
    const second = entry({ job_id: first.job_id, by: "second" });
    await adapters.journal.create(first);
    expect(await adapters.journal.create(second)).toBe("exists");
    expect(await adapters.journal.read(first.job_id, "1")).toEqual(first);
  });

  test("the same id in two jobs is two documents", async () => {
    expect(await adapters.journal.create(entry())).toBe("created");
    expect(await adapters.journal.create(entry())).toBe("created");
  });

  test("of 50 creators of one id exactly one wins", async () => {
    const { job_id } = entry();
    const racers = Array.from({ length: 50 }, (_, racer) => entry({ job_id, id: "7", racer }));
    const outcomes = await Promise.all(racers.map((racer) => adapters.journal.create(racer)));
    const winners = racers.filter((_, index) => outcomes[index] === "created");
    expect(winners).toHaveLength(1);
    expect(await adapters.journal.read(job_id, "7")).toEqual(winners[0]);
  });

  test.each([
    "out:sha256:0a1b",
    "claim:split:3:1",
    "chunk:split:3:1:0",
    "checkpoint:resize[12]:1:4",
    "100%25 ä 👍",
  ])("the id %s can be created and read", async (id) => {
    const document = entry({ id });
    expect(await adapters.journal.create(document)).toBe("created");
    expect(await adapters.journal.create(entry({ ...document, write_id: "other" }))).toBe("exists");
    expect(await adapters.journal.read(document.job_id, id)).toEqual(document);
  });

  test("what is stored cannot be changed through what was given or answered", async () => {
    const list = [1, 2];
    const document = entry({ list });
    await adapters.journal.create(document);
    list.push(3);
    const found = await adapters.journal.read(document.job_id, "1");
    try {
      if (found !== undefined) (found["list"] as number[]).push(4);
    } catch {
      // A frozen answer is as good as a fresh one.
    }
    expect((await adapters.journal.read(document.job_id, "1"))?.["list"]).toEqual([1, 2]);
  });

  test("each create and read is one request, a refused create too", async () => {
    const document = entry();
    await adapters.journal.create(document);
    await adapters.journal.create(entry({ job_id: document.job_id }));
    await adapters.journal.read(document.job_id, "1");
    await adapters.journal.read(document.job_id, "2");
    expect(Object.fromEntries(adapters.seen.requests())).toEqual({
      "journal.create": 2,
      "journal.read": 2,
    });
  });
}

export function limitContract(open: Open): void {
  let adapters: Adapters;
  beforeEach(async () => {
    adapters = await open();
  });

  test.each(["", "a/b", "a\\b", "a?b", "a#b", "x".repeat(1024), "é".repeat(512), "a ", "\ud800"])(
    "the id %j is refused before any request",
    async (id) => {
      expect(await codeOf(() => adapters.journal.create(entry({ id })))).toBe("DOCUMENT_INVALID");
      expect(await codeOf(() => adapters.journal.read("a-job", id))).toBe("DOCUMENT_INVALID");
      expect(await codeOf(() => adapters.journal.read(id, "1"))).toBe("DOCUMENT_INVALID");
      expect(adapters.seen.requests().size).toBe(0);
    },
  );

  test("an id of 255 bytes is stored", async () => {
    const document = entry({ id: "x".repeat(255) });
    expect(await adapters.journal.create(document)).toBe("created");
    expect(await adapters.journal.read(document.job_id, document.id)).toEqual(document);
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 31])("a ttl of %d is refused", async (ttl) => {
    expect(await codeOf(() => adapters.journal.create(entry({ ttl })))).toBe("DOCUMENT_INVALID");
    expect(await codeOf(() => adapters.jobs.replace(job({ ttl }), "etag"))).toBe(
      "DOCUMENT_INVALID",
    );
  });

  test("a document over 2 MB is refused, one just under it is stored", async () => {
    const over = entry({ text: "x".repeat(2 * 1024 * 1024) });
    expect(await codeOf(() => adapters.journal.create(over))).toBe("LIMIT_EXCEEDED");
    const wide = entry({ text: "é".repeat(1024 * 1024) });
    expect(await codeOf(() => adapters.journal.create(wide))).toBe("LIMIT_EXCEEDED");
    expect(adapters.seen.requests().size).toBe(0);
    const under = entry({ text: "x".repeat(2 * 1024 * 1024 - 2048) });
    expect(await adapters.journal.create(under)).toBe("created");
  });

  test("a key that a store would drop is refused, the same text as a value is not", async () => {
    const hostile = JSON.parse('{"a":[{"__proto__":1}]}') as Json;
    expect(await codeOf(() => adapters.journal.create(entry({ hostile })))).toBe(
      "DOCUMENT_INVALID",
    );
    const harmless = entry({ list: ["__proto__", '"__proto__":1'] });
    expect(await adapters.journal.create(harmless)).toBe("created");
  });
}

export function jobContract(open: Open): void {
  let adapters: Adapters;
  beforeEach(async () => {
    adapters = await open();
  });

  test("a job document is created once and read with its etag", async () => {
    const document = job({ state: { nodes: {} } });
    expect(await adapters.jobs.create(document)).toBe("created");
    expect(await adapters.jobs.create({ ...document, write_id: "other" })).toBe("exists");
    const found = await adapters.jobs.read(document.job_id);
    expect(found?.document).toEqual(document);
    expect(found?.etag).toMatch(/./);
    expect(await adapters.jobs.read("no-such-job")).toBeUndefined();
  });

  test("a replace with the etag succeeds and answers the next one", async () => {
    const first = job();
    await adapters.jobs.create(first);
    const found = await adapters.jobs.read(first.job_id);
    const second = { ...first, seq: 1, write_id: "second" };
    const answer = await adapters.jobs.replace(second, found?.etag ?? "");
    const again = await adapters.jobs.read(first.job_id);
    expect(answer).toEqual({ etag: again?.etag });
    expect(again?.document).toEqual(second);
    expect(again?.etag).not.toBe(found?.etag);
  });

  test("a replace with an old etag is a conflict and changes nothing", async () => {
    const first = job();
    await adapters.jobs.create(first);
    const etag = (await adapters.jobs.read(first.job_id))?.etag ?? "";
    await adapters.jobs.replace({ ...first, seq: 1 }, etag);
    expect(await adapters.jobs.replace({ ...first, seq: 2 }, etag)).toBe("conflict");
    expect((await adapters.jobs.read(first.job_id))?.document.seq).toBe(1);
  });

  test("a replace of what is not there is a conflict", async () => {
    expect(await adapters.jobs.replace(job(), '"any"')).toBe("conflict");
  });

  test("of 20 replaces with one etag exactly one wins", async () => {
    const first = job();
    await adapters.jobs.create(first);
    const etag = (await adapters.jobs.read(first.job_id))?.etag ?? "";
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, seq) => adapters.jobs.replace({ ...first, seq }, etag)),
    );
    expect(outcomes.filter((outcome) => outcome !== "conflict")).toHaveLength(1);
  });

  test("due answers the longest due first, none in the future, none without wake_at", async () => {
    const at = (minute: string) => `2026-11-22T10:${minute}:00.000Z`;
    const woken = ["03", "01", undefined, "02"];
    const jobs = woken.map((minute) => job(minute === undefined ? {} : { wake_at: at(minute) }));
    for (const document of jobs) await adapters.jobs.create(document);
    const [third, first, , second] = jobs.map(({ job_id }) => job_id);
    const due = async (...given: Parameters<JobStore["due"]>): Promise<readonly unknown[]> =>
      (await adapters.jobs.due(...given)).map(({ job_id }) => job_id);
    expect(await due(at("02"), 10)).toEqual([first, second]);
    expect(await due(at("59"), 2)).toEqual([first, second]);
    expect(await due(at("59"), 10)).toEqual([first, second, third]);
    expect(await due(at("59"), 10, at("02"))).toEqual([second, third]);
    expect(await due(at("02"), 10, at("03"))).toEqual([]);
    expect(await due(at("00"), 10)).toEqual([]);
    expect(await adapters.jobs.due(at("01"), 1)).toEqual([{ job_id: first, wake_at: at("01") }]);
  });

  test("a job that lost its wake_at is due no more", async () => {
    const { wake_at, ...terminal } = job({ wake_at: "2026-11-22T10:00:00.000Z" });
    await adapters.jobs.create({ ...terminal, wake_at: wake_at ?? "" });
    const etag = (await adapters.jobs.read(terminal.job_id))?.etag ?? "";
    await adapters.jobs.replace({ ...terminal, write_id: "w2" } as JobDocument, etag);
    expect(await adapters.jobs.due("2027-01-01T00:00:00.000Z", 10)).toEqual([]);
  });
}

export function definitionContract(open: Open): void {
  let adapters: Adapters;
  beforeEach(async () => {
    adapters = await open();
  });

  test("the first claim of a version stands, later ones are answered with it", async () => {
    const first = definition({ source: "first", workflow_digest: "sha256:1" });
    expect(await adapters.definitions.claim(first)).toEqual(first);
    const second = { ...first, source: "second", workflow_digest: "sha256:2", write_id: "w2" };
    expect(await adapters.definitions.claim(second)).toEqual(first);
    expect(await adapters.definitions.claim(first)).toEqual(first);
    expect(await adapters.definitions.read(first.workflow_id, 1)).toEqual(first);
    expect(await adapters.definitions.read(first.workflow_id, 2)).toBeUndefined();
  });

  test("versions and workflows are claimed apart", async () => {
    const one = definition();
    const two = { ...one, id: "version:2", version: 2 };
    const other = { ...one, workflow_id: "other" };
    await adapters.definitions.claim(one);
    expect(await adapters.definitions.claim(two)).toEqual(two);
    expect(await adapters.definitions.claim(other)).toEqual(other);
  });

  test("of 20 claims of one version all are answered with the same document", async () => {
    const { workflow_id } = definition();
    const claims = Array.from({ length: 20 }, (_, claim) =>
      definition({ workflow_id, workflow_digest: `sha256:${claim}` }),
    );
    const answers = await Promise.all(claims.map((claim) => adapters.definitions.claim(claim)));
    expect(new Set(answers.map(({ workflow_digest }) => workflow_digest)).size).toBe(1);
  });
}
