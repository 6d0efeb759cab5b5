// What a request is told that no route takes: other methods of the same path, or that there is
// nothing. The host compares paths without case and without a slash at the end; so does this.
import type { HttpRequest } from "@azure/functions";
import { WorkflowError } from "../core/error.ts";

interface Endpoint {
  /** Below the host's prefix. */
  readonly route: string;
  readonly methods: readonly string[];
}

const SHOWN_CHARACTERS = 200;

/** METHOD_NOT_ALLOWED with the fact `allow`, or ROUTE_NOT_FOUND. */
export function noRoute(request: HttpRequest, routes: readonly Endpoint[]): WorkflowError {
  const { pathname } = new URL(request.url);
  const asked = `${request.method} ${pathname.slice(0, SHOWN_CHARACTERS)}`;
  const segments = segmentsOf(pathname).slice(1);
  const found = routes.filter(({ route }) => isAt(segmentsOf(route), segments));
  const allow = [...new Set(found.flatMap(({ methods }) => methods))].join(", ");
  if (allow === "") return new WorkflowError("ROUTE_NOT_FOUND", `${asked}: no such endpoint`);
  const message = `${asked}: this endpoint takes ${allow}`;
  return new WorkflowError("METHOD_NOT_ALLOWED", message, { facts: { allow } });
}

function segmentsOf(path: string): readonly string[] {
  return path.split("/").filter((segment) => segment !== "");
}

function isAt(template: readonly string[], segments: readonly string[]): boolean {
  if (template.length !== segments.length) return false;
  return template.every(
    (part, index) =>
      part.startsWith("{") || part.toLowerCase() === segments[index]?.toLowerCase(),
  );
}
