// The key of this tab: in memory, or for the life of the tab where the reader asked for that. Never
// in the address, never where another tab or a later visit would find it.

/** The part of sessionStorage that is used; absent where the browser forbids it. */
export interface TabStorage {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
}

const NAME = "holdfast.key";

export class KeyStore {
  readonly #storage: TabStorage | undefined;
  #key: string | undefined;

  constructor(storage: TabStorage | undefined) {
    this.#storage = storage;
    this.#key = storage?.getItem(NAME) ?? undefined;
  }

  get key(): string | undefined {
    return this.#key;
  }

  keep(key: string, forThisTab: boolean): void {
    this.#key = key;
    if (forThisTab) this.#storage?.setItem(NAME, key);
    else this.#storage?.removeItem(NAME);
  }

  forget(): void {
    this.#key = undefined;
    this.#storage?.removeItem(NAME);
  }
}
