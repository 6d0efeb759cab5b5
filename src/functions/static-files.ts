// Files of the build that are served as they are: the page, and the document of the API to machines
// and to people. Their names are fixed, so no path comes from a request. They may not load anything
// from elsewhere, nor run a script that stands in the page.
import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import { WorkflowError } from "../core/error.ts";
import { sha256 } from "../runtime/hash.ts";
import { isKnown } from "./job-tag.ts";

const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const TYPES = {
  "openapi.json": "application/json; charset=utf-8",
  "docs.html": "text/html; charset=utf-8",
  "docs.css": "text/css; charset=utf-8",
  "index.html": "text/html; charset=utf-8",
  "app.js": "text/javascript; charset=utf-8",
  "app.css": "text/css; charset=utf-8",
  "favicon.svg": "image/svg+xml",
} as const;

export type StaticFileName = keyof typeof TYPES;

/** The text of a file that the build put beside the bundle; undefined where it is not there. */
export type StaticFiles = (name: StaticFileName) => Promise<string | undefined>;

/**
 * With a slash at its end the address is sent on to the one without, as the files name each other
 * relative to it. Errors: ROUTE_NOT_FOUND for a file that this build lacks.
 */
export async function staticFile(
  files: StaticFiles,
  name: StaticFileName,
  request: Pick<HttpRequest, "headers" | "url">,
): Promise<HttpResponseInit> {
  const last = /([^/]+)\/+$/.exec(new URL(request.url).pathname)?.[1];
  if (last !== undefined) return { status: 308, headers: { location: `../${last}` } };
  const body = await files(name);
  if (body === undefined) {
    throw new WorkflowError("ROUTE_NOT_FOUND", `this build has no ${name}; npm run build makes it`);
  }
  const headers = {
    "content-type": TYPES[name],
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
    etag: `"${sha256(body).slice(0, 16)}"`,
  };
  if (isKnown(request, headers.etag)) return { status: 304, headers };
  return { status: 200, headers, body };
}
