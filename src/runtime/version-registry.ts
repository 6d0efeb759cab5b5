// The first use of an id and version fixes its digest for ever, across restarts and instances:
// whoever comes with other content under the same number is refused, with both digests.
import { WorkflowError } from "../core/error.ts";
import { DOCUMENT_SCHEMA } from "../core/event.ts";
import type { Engine } from "./engine.ts";
import type { DefinitionStore } from "./ports.ts";
import type { CatalogEntry } from "./definition-catalog.ts";

export class VersionRegistry {
  readonly #engine: Pick<Engine, "clock" | "randomness">;
  readonly #store: DefinitionStore;
  /** HOLDFAST_ALLOW_REDEFINE: on a developer's machine only. */
  readonly #mayRedefine: boolean;
  /** `id@version` → the digest that the store holds. Digests there never change. */
  readonly #seen = new Map<string, string>();

  constructor(
    engine: Pick<Engine, "clock" | "randomness">,
    store: DefinitionStore,
    options: { readonly mayRedefine: boolean },
  ) {
    this.#engine = engine;
    this.#store = store;
    this.#mayRedefine = options.mayRedefine;
  }

  /**
   * Claims the version for this content; one request for the first use in this process. Throws
   * VERSION_CONFLICT for other content, unless redefining is allowed: then the job says so.
   */
  async claim(entry: CatalogEntry): Promise<{ readonly redefined: true | undefined }> {
    return this.#judged(entry, await this.#firstDigest(entry));
  }

  /** As `claim` would answer or throw, and claims nothing. At most one read. */
  async check(entry: CatalogEntry): Promise<void> {
    const { workflow_id, version } = entry.definition;
    const seen = this.#seen.get(keyOf(entry));
    const first = seen ?? (await this.#store.read(workflow_id, version))?.workflow_digest;
    if (first !== undefined) this.#judged(entry, first);
  }

  /** After a rebuild the store remembers nothing, so neither may this process. */
  forget(): void {
    this.#seen.clear();
  }

  #judged(entry: CatalogEntry, first: string): { readonly redefined: true | undefined } {
    if (first === entry.workflow_digest) return { redefined: undefined };
    if (this.#mayRedefine) return { redefined: true };
    const { workflow_id, version } = entry.definition;
    throw new WorkflowError(
      "VERSION_CONFLICT",
      `workflow "${workflow_id}" version ${version} was used with other content before; ` +
        "raise the version number",
      { facts: { first_digest: first, this_digest: entry.workflow_digest } },
    );
  }

  async #firstDigest(entry: CatalogEntry): Promise<string> {
    const { workflow_id, version } = entry.definition;
    const key = keyOf(entry);
    const seen = this.#seen.get(key);
    if (seen !== undefined) return seen;
    const stored = await this.#store.claim({
      id: `version:${version}`,
      workflow_id,
      version,
      schema: DOCUMENT_SCHEMA,
      write_id: this.#engine.randomness.writeId(),
      workflow_digest: entry.workflow_digest,
      source_digest: entry.source_digest,
      source: entry.source,
      created_at: this.#engine.clock.now(),
    });
    this.#seen.set(key, stored.workflow_digest);
    return stored.workflow_digest;
  }
}

function keyOf({ definition }: CatalogEntry): string {
  return `${definition.workflow_id}@${definition.version}`;
}
