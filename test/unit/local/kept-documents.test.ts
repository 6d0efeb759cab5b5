// What still stands of the changes that were kept: the last of each document, in an order that can
// be done again.
import { expect, test } from "vitest";
import { standing } from "../../../src/local/kept-documents.ts";

const DB = { method: "POST", url: "/dbs", body: '{"id":"h"}' };
const JOBS = { method: "POST", url: "/dbs/h/colls", body: '{"id":"jobs"}' };
const doc = (id: string, more = "", partition = '["p"]') => ({
  method: "POST",
  url: "/dbs/h/colls/jobs/docs",
  partition,
  body: `{"id":"${id}"${more}}`,
});

function check(changes: readonly object[], expected: readonly object[]): void {
  expect(standing(changes.map((one) => `${JSON.stringify(one)}\n`).join(""))).toEqual(expected);
}

test("nothing kept is nothing, and a line half written is left out", () => {
  check([], []);
  expect(standing(`${JSON.stringify(DB)}\n{"method":"POST","url":"/dbs/h/co`)).toEqual([DB]);
});

test("the last content of a document stands, created anew", () => {
  const replaced = { ...doc("a", ',"n":2'), method: "PUT", url: "/dbs/h/colls/jobs/docs/a" };
  check([DB, JOBS, doc("a"), doc("b"), replaced], [DB, JOBS, doc("a", ',"n":2'), doc("b")]);
});

test("the same id in another partition is another document", () => {
  check([DB, JOBS, doc("a"), doc("a", "", '["q"]')], [DB, JOBS, doc("a"), doc("a", "", '["q"]')]);
});

test("what was deleted is gone, with everything in it", () => {
  const gone = { method: "DELETE", url: "/dbs/h/colls/jobs", body: "" };
  check([DB, JOBS, doc("a"), gone], [DB]);
  check([DB, JOBS, doc("a"), gone, JOBS, doc("b")], [DB, JOBS, doc("b")]);
  check([DB, JOBS, doc("a"), { method: "DELETE", url: "/dbs/h", body: "" }], []);
  const one = { ...doc("a"), method: "DELETE", url: "/dbs/h/colls/jobs/docs/a", body: "" };
  check([DB, JOBS, doc("a"), doc("b"), one], [DB, JOBS, doc("b")]);
});
