// Function keys and the master key, as the Functions host checks them: the x-functions-key header
// decides when it is there, even if it is wrong and `?code=` is right. The master key opens
// everything; `admin` needs it.

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { AuthLevel } from "./http-routes.ts";

export interface Keys {
  readonly master: string;
  /** The host's function key, good for every function. */
  readonly host: string;
  /** Keys good for one function each, by its name. */
  readonly functions: Readonly<Record<string, string>>;
}

export type Grant = "master" | "host" | "none" | { readonly functionName: string };

export function grantOf(request: IncomingMessage, url: URL, keys: Keys): Grant {
  const header = request.headers["x-functions-key"];
  const key = header === undefined ? url.searchParams.get("code") : String(header);
  if (key === null || key === "") {
    return "none";
  }
  if (same(key, keys.master)) {
    return "master";
  }
  if (same(key, keys.host)) {
    return "host";
  }
  const own = Object.entries(keys.functions).find(([, value]) => same(key, value));
  return own === undefined ? "none" : { functionName: own[0] };
}

export function isAllowed(level: AuthLevel, functionName: string, grant: Grant): boolean {
  switch (level) {
    case "anonymous":
      return true;
    case "function":
      return (
        grant === "master" ||
        grant === "host" ||
        (typeof grant === "object" && grant.functionName === functionName)
      );
    case "admin":
      return grant === "master";
  }
}

function same(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
