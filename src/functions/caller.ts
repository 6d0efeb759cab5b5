// Who is calling, and which jobs that lets them see. With keys every caller is `key` and sees all
// jobs. With platform sign-in the caller is what the platform's principal headers say; a request
// without them, or with any that do not hold together, is refused and never guessed at.
// The headers are believed only where the setting says that sign-in is on, for then the platform
// overwrites what a client sends in their place.
import type { HttpRequest } from "@azure/functions";
import * as z from "zod";
import { WorkflowError } from "../core/error.ts";
import { safeParse } from "../core/safe-parse.ts";

export type AuthMode =
  | { readonly mode: "keys" }
  /** Platform sign-in is on; whoever has the role sees and cancels every job. */
  | { readonly mode: "platform"; readonly adminRole: string };

export interface HttpCaller {
  /** `key` or `principal:<id>`: recorded in jobs, and the scope of idempotency keys. */
  readonly authenticated_as: string;
  /** Sees every job. True for every key: keys do not tell callers apart. */
  readonly isAdmin: boolean;
}

/** Far above what a token holds, so that parsing stays cheap. */
const MAX_PRINCIPAL_CHARS = 64 * 1024;
/** What a log line and a stored job may hold. */
const PRINCIPAL_ID = /^[\x21-\x7e]{1,128}$/;
const ENTRA = "aad";
/** Claims are named as in the token, or by the platform's mapping to older names. */
const ID_CLAIMS = ["oid", "http://schemas.microsoft.com/identity/claims/objectidentifier"];
const ROLE_CLAIMS = ["roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"];

const principalSchema = z.object({
  auth_typ: z.literal(ENTRA),
  claims: z.array(z.object({ typ: z.string(), val: z.string() })),
});

type Principal = z.output<typeof principalSchema>;

/** Errors: UNAUTHENTICATED. */
export function callerOf(request: Pick<HttpRequest, "headers">, auth: AuthMode): HttpCaller {
  if (auth.mode === "keys") return { authenticated_as: "key", isAdmin: true };
  const principal = principalOf(request.headers.get("x-ms-client-principal") ?? "");
  const claimed = valuesOf(principal, ID_CLAIMS);
  const header = request.headers.get("x-ms-client-principal-id")?.trim() ?? "";
  const ids = new Set(header === "" ? claimed : [...claimed, header]);
  const [id] = ids;
  if (id === undefined || ids.size > 1 || !PRINCIPAL_ID.test(id)) {
    throw unauthenticated("the principal of this request has no id, or more than one");
  }
  const isAdmin = valuesOf(principal, ROLE_CLAIMS).includes(auth.adminRole);
  return { authenticated_as: `principal:${id}`, isAdmin };
}

function principalOf(header: string): Principal {
  if (header === "") throw unauthenticated("sign in first: this request has no principal");
  const parsed = safeParse(principalSchema, decoded(header));
  if (parsed.success) return parsed.data;
  throw unauthenticated("the principal of this request is not one of Microsoft Entra");
}

/** Undefined for what is no JSON in base64 within the bound. */
function decoded(header: string): unknown {
  if (header.length > MAX_PRINCIPAL_CHARS || !/^[A-Za-z0-9+/]+={0,2}$/.test(header)) {
    return undefined;
  }
  try {
    return JSON.parse(Buffer.from(header, "base64").toString("utf8"));
  } catch {
    return undefined;
  }
}

function valuesOf({ claims }: Principal, types: readonly string[]): readonly string[] {
  return claims.filter(({ typ }) => types.includes(typ)).map(({ val }) => val);
}

function unauthenticated(message: string): WorkflowError {
  return new WorkflowError("UNAUTHENTICATED", message);
}

/** Errors: ROLE_REQUIRED. Beside the master key that the host asks for. */
export function assertAdmin(caller: HttpCaller, auth: AuthMode): void {
  if (caller.isAdmin || auth.mode === "keys") return;
  throw new WorkflowError("ROLE_REQUIRED", `this needs the role "${auth.adminRole}"`);
}
