// The filters of the list. They live in the address, so that a list can be linked to and the way
// back leads to the same rows.
import { useEffect, useRef, useState } from "preact/hooks";
import { links } from "./router.ts";
import { StatusBadge } from "./status-badge.tsx";
import { JOB_STATUSES } from "./summary.ts";

const TEXTS = [
  { name: "workflow_id", label: "Workflow" },
  { name: "workflow_version", label: "Version" },
  { name: "tag", label: "Tag" },
  { name: "correlation_id", label: "Correlation id" },
  { name: "submitted_by", label: "Submitted by" },
] as const;
const TIMES = [
  { name: "created_from", label: "Created from" },
  { name: "created_before", label: "Created before" },
] as const;

export function JobsFilter({ query }: { readonly query: URLSearchParams }) {
  const form = useRef<HTMLFormElement>(null);
  const [isOpen, setOpen] = useState(hasDetails(query));
  const statuses = new Set((query.get("status") ?? "").split(","));
  // Fields show the address, also after a step back.
  useEffect(() => {
    for (const { name } of [...TEXTS, ...TIMES]) {
      const field = form.current?.elements.namedItem(name);
      if (field instanceof HTMLInputElement) field.value = query.get(name) ?? "";
    }
    if (hasDetails(query)) setOpen(true);
  }, [query]);
  const apply = (): void => {
    if (form.current !== null) location.hash = links.jobs(filtersOf(new FormData(form.current)));
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    apply();
  };
  return (
    <form class="filters card" ref={form} onSubmit={submit} aria-label="Filters">
      <fieldset class="statuses" onChange={apply}>
        <legend>Status</legend>
        {JOB_STATUSES.map((status) => (
          <label key={status}>
            <input type="checkbox" name="status" value={status} checked={statuses.has(status)} />
            <StatusBadge status={status} />
          </label>
        ))}
      </fieldset>
      <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>More filters and order</summary>
        <MoreFilters sort={query.get("sort")} onSort={apply} />
        <div class="buttons">
          <button type="submit">Apply filters</button>
          <a href={links.jobs()}>Clear all</a>
        </div>
      </details>
    </form>
  );
}

interface MoreFiltersProps {
  readonly sort: string | null;
  readonly onSort: () => void;
}

function MoreFilters({ sort, onSort }: MoreFiltersProps) {
  return (
    <div class="grid">
      {TEXTS.map(({ name, label }) => (
        <label key={name}>
          {label}
          <input name={name} inputMode={name === "workflow_version" ? "numeric" : "text"} />
        </label>
      ))}
      {TIMES.map(({ name, label }) => (
        <label key={name}>
          {label}
          <input name={name} type="datetime-local" step="1" />
        </label>
      ))}
      <label>
        Order
        <select name="sort" onChange={onSort}>
          <option value="" selected={sort !== "created_at"}>
            Newest first
          </option>
          <option value="created_at" selected={sort === "created_at"}>
            Oldest first
          </option>
        </select>
      </label>
    </div>
  );
}

function hasDetails(query: URLSearchParams): boolean {
  return [...query.keys()].some((name) => name !== "status");
}

function filtersOf(data: FormData): Readonly<Record<string, string>> {
  const text = (name: string): string => {
    const value = data.get(name);
    return typeof value === "string" ? value.trim() : "";
  };
  const named = [...TEXTS, ...TIMES].map(({ name }) => [name, text(name)] as const);
  const status = data.getAll("status").filter((value) => typeof value === "string").join(",");
  return { status, ...Object.fromEntries(named), sort: text("sort") };
}
