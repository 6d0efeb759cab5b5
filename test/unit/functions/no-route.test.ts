// What is told of a path or a method that no route has.
import { expect, test } from "vitest";
import { noRoute } from "../../../src/functions/no-route.ts";
import { ROUTES } from "../../../src/functions/routes.ts";
import { HttpApp, requestWith } from "../../support/http-app.ts";

const KNOWN = ROUTES.filter(({ name }) => name !== "zz_not_found");

function told(method: "DELETE" | "GET", path: string) {
  const request = requestWith({ method, url: `https://a.example/api/${path}` });
  const { code, message, facts } = noRoute(request, KNOWN);
  return { code, message, allow: facts["allow"] };
}

test.each([
  ["v1/jobs", "POST, GET"],
  ["V1/Jobs/", "POST, GET"],
  ["v1/jobs/batch", "POST, GET"],
  ["v1/jobs/a%2Fb/nodes/c", "GET"],
  ["v1/bootstrap/rebuild", "POST"],
  ["ui", "GET"],
])("%s takes %s", (path, allow) => {
  const message = `DELETE /api/${path}: this endpoint takes ${allow}`;
  expect(told("DELETE", path)).toEqual({ code: "METHOD_NOT_ALLOWED", message, allow });
});

test.each(["", "v1", "v1/jobs/a/nodes", "v1/jobs/a/b/c/d", "v2/jobs", "jobs", "../jobs"])(
  "nothing is at %j",
  (path) => expect(told("GET", path)).toMatchObject({ code: "ROUTE_NOT_FOUND" }),
);

test("a long path is told in part", () => {
  expect(told("GET", "x".repeat(5_000)).message.length).toBeLessThan(250);
});

test("the answer has the header Allow", async () => {
  const url = "https://a.example/api/v1/stats";
  const answer = await new HttpApp().send("zz_not_found", requestWith({ method: "PUT", url }));
  expect([answer.status, answer.headers["allow"]]).toEqual([405, "GET"]);
  expect(answer.body).toMatchObject({ code: "METHOD_NOT_ALLOWED", allow: "GET" });
});
