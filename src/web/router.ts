// Where in the page a reader is: everything that can be linked to stands in the hash, which never
// goes to the server. What is no known place leads to the list of jobs.

export type Place =
  | { readonly view: "jobs"; readonly query: URLSearchParams }
  | {
      readonly view: "job";
      readonly jobId: string;
      readonly nodeId: string | undefined;
      readonly query: URLSearchParams;
    }
  | { readonly view: "workflows" }
  | { readonly view: "workflow"; readonly workflowId: string }
  | { readonly view: "submit"; readonly workflowId: string };

/** `hash` as the browser gives it, with or without `#`. */
export function placeOf(hash: string): Place {
  const [path = "", search = ""] = hash.replace(/^#/, "").split("?", 2);
  const query = new URLSearchParams(search);
  const [, first, id, part, name] = path.split("/").map(decoded);
  if (first === "workflows") {
    return isGiven(id) ? { view: "workflow", workflowId: id } : { view: "workflows" };
  }
  if (first === "submit" && isGiven(id)) return { view: "submit", workflowId: id };
  if (first === "jobs" && isGiven(id)) {
    const nodeId = part === "nodes" && isGiven(name) ? name : undefined;
    return { view: "job", jobId: id, nodeId, query };
  }
  return { view: "jobs", query };
}

function isGiven(part: string | undefined): part is string {
  return part !== undefined && part !== "";
}

/** A hash that somebody typed may hold a lone percent sign. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

type QueryParts = Readonly<Record<string, string | undefined>>;

function withQuery(path: string, parts: QueryParts = {}): string {
  const given = Object.entries(parts).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === "" ? [] : [[name, value]],
  );
  return given.length === 0 ? path : `${path}?${String(new URLSearchParams(given))}`;
}

export const links = {
  jobs: (filters?: QueryParts) => withQuery("#/jobs", filters),
  job: (jobId: string, parts?: QueryParts) =>
    withQuery(`#/jobs/${encodeURIComponent(jobId)}`, parts),
  node: (jobId: string, nodeId: string) =>
    `#/jobs/${encodeURIComponent(jobId)}/nodes/${encodeURIComponent(nodeId)}`,
  workflows: () => "#/workflows",
  workflow: (workflowId: string) => `#/workflows/${encodeURIComponent(workflowId)}`,
  submit: (workflowId: string) => `#/submit/${encodeURIComponent(workflowId)}`,
} as const;

/** What a reader would call the view: two places of one view need no new focus. */
export function viewKey(place: Place): string {
  switch (place.view) {
    case "jobs":
    case "workflows":
      return place.view;
    case "job":
      return `job ${place.jobId}`;
    case "workflow":
      return `workflow ${place.workflowId}`;
    case "submit":
      return `submit ${place.workflowId}`;
  }
}
