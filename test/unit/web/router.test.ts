// Places in the hash: every link leads to the place it names, and no text breaks the page.
import { expect, test } from "vitest";
import { links, placeOf, viewKey } from "../../../src/web/router.ts";

const ODD = "a/b?c#d%&é <x>";

test.each([
  [links.jobs(), { view: "jobs" }],
  [links.job("7f"), { view: "job", jobId: "7f", nodeId: undefined }],
  [links.node("7f", "say"), { view: "job", jobId: "7f", nodeId: "say" }],
  [links.node(ODD, ODD), { view: "job", jobId: ODD, nodeId: ODD }],
  [links.workflows(), { view: "workflows" }],
  [links.workflow("claim"), { view: "workflow", workflowId: "claim" }],
  [links.submit(ODD), { view: "submit", workflowId: ODD }],
])("%s leads to its place", (hash, place) => {
  expect(placeOf(hash)).toMatchObject(place);
});

test.each(["", "#", "#/", "#/nowhere", "#/submit", "jobs", "#/jobs/", "#//jobs"])(
  "%j leads to the list",
  (hash) => {
    expect(placeOf(hash).view).toBe("jobs");
  },
);

test("a lone percent sign is a text like any other", () => {
  expect(placeOf("#/jobs/100%")).toMatchObject({ view: "job", jobId: "100%" });
});

test("filters come back as they were given, and empty ones are left out", () => {
  const place = placeOf(links.jobs({ tag: ODD, status: "failed,running", sort: "" }));
  const query = place.view === "jobs" ? place.query : new URLSearchParams();
  expect(Object.fromEntries(query)).toEqual({ tag: ODD, status: "failed,running" });
});

test("the parts of one job are one view, two jobs are two", () => {
  const keys = [links.job("a"), links.node("a", "n"), links.job("a", { tab: "events" })].map(
    (hash) => viewKey(placeOf(hash)),
  );
  expect(new Set(keys).size).toBe(1);
  expect(viewKey(placeOf(links.job("b")))).not.toBe(keys[0]);
});
