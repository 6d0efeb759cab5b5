// The key of a tab: in memory unless asked otherwise, and gone when told.
import { expect, test } from "vitest";
import { KeyStore } from "../../../src/web/key-store.ts";
import type { TabStorage } from "../../../src/web/key-store.ts";

class Storage implements TabStorage {
  readonly kept = new Map<string, string>();

  getItem(name: string): string | null {
    return this.kept.get(name) ?? null;
  }

  setItem(name: string, value: string): void {
    this.kept.set(name, value);
  }

  removeItem(name: string): void {
    this.kept.delete(name);
  }
}

test("a key stays in memory unless it is asked to stay for the tab", () => {
  const storage = new Storage();
  const keys = new KeyStore(storage);
  expect(keys.key).toBeUndefined();
  keys.keep("one", false);
  expect([keys.key, storage.kept.size]).toEqual(["one", 0]);
  keys.keep("two", true);
  expect(new KeyStore(storage).key).toBe("two");
  keys.keep("three", false);
  expect([keys.key, new KeyStore(storage).key]).toEqual(["three", undefined]);
});

test("a forgotten key is nowhere", () => {
  const storage = new Storage();
  const keys = new KeyStore(storage);
  keys.keep("one", true);
  keys.forget();
  expect([keys.key, storage.kept.size]).toEqual([undefined, 0]);
});

test("a browser that keeps nothing still has the key in memory", () => {
  const keys = new KeyStore(undefined);
  keys.keep("one", true);
  expect(keys.key).toBe("one");
  keys.forget();
  expect(keys.key).toBeUndefined();
});
