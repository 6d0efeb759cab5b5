// The tag of a job's state, for If-None-Match (RFC 9110, section 13.1.2). A state is named by its
// last entry, for entries are never replaced; the build stands beside, for another build may show
// the same state otherwise. Weak: `as_of` and times of renewals are no part of it.
import type { HttpRequest } from "@azure/functions";
import type { JobState } from "../core/job.ts";
import type { Engine } from "../runtime/engine.ts";
import { sha256 } from "../runtime/hash.ts";

/** Of the digest of a build's name: enough to tell two builds apart. */
const BUILD_CHARS = 8;

export function jobTag({ build }: Pick<Engine, "build">, job: JobState): string {
  return `W/"${job.seq}-${sha256(build).slice(0, BUILD_CHARS)}"`;
}

/** Whether the caller says that it has what this tag names, or takes anything for known. */
export function isKnown(request: Pick<HttpRequest, "headers">, tag: string): boolean {
  const given = (request.headers.get("if-none-match") ?? "").split(",").map((one) => one.trim());
  return given.includes("*") || given.some((one) => strong(one) === strong(tag));
}

function strong(tag: string): string {
  return tag.replace(/^W\//, "");
}
