// Who is calling: principals of the platform are believed where sign-in is on and nowhere else, and
// one that does not hold together is refused with a code, never with a throw of another kind.
import { describe, expect, test } from "vitest";
import { WorkflowError } from "../../../src/core/error.ts";
import { callerOf } from "../../../src/functions/caller.ts";
import type { AuthMode } from "../../../src/functions/caller.ts";
import { encoded, PLATFORM, principal } from "../../support/http-app.ts";

function caller(headers: Readonly<Record<string, string>>, auth: AuthMode = PLATFORM) {
  return callerOf({ headers: new Headers(headers) as never }, auth);
}

function refusal(headers: Readonly<Record<string, string>>): string {
  try {
    return `let in as ${caller(headers).authenticated_as}`;
  } catch (error) {
    return error instanceof WorkflowError ? error.code : `not ours: ${String(error)}`;
  }
}

const USER = "3f1c9a52-0000-4000-8000-000000000001";

describe("with sign-in", () => {
  test("the caller is the principal, and no admin without the role", () => {
    const plain = { authenticated_as: `principal:${USER}`, isAdmin: false };
    expect(caller(principal(USER))).toEqual(plain);
    for (const role of ["holdfast.admin", "Holdfast.Admins", "", "Admin", " Holdfast.Admin"]) {
      expect(caller(principal(USER, [role]))).toEqual(plain);
    }
  });

  test("the role makes an admin, under either of its claim names, and a setting names it", () => {
    expect(caller(principal(USER, ["Reader", "Holdfast.Admin"])).isAdmin).toBe(true);
    const mapped = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";
    const claims = [{ typ: "oid", val: USER }, { typ: mapped, val: "Holdfast.Admin" }];
    const header = { "x-ms-client-principal": encoded({ auth_typ: "aad", claims }) };
    expect(caller(header)).toEqual({ authenticated_as: `principal:${USER}`, isAdmin: true });
    const other = { mode: "platform", adminRole: "Jobs.All" } as const;
    expect(caller(principal(USER, ["Holdfast.Admin"]), other).isAdmin).toBe(false);
    expect(caller(principal(USER, ["Jobs.All"]), other).isAdmin).toBe(true);
  });

  test("a claim of another type is no role", () => {
    for (const typ of ["role", "Roles", "groups", "scp", "x-roles"]) {
      const claims = [{ typ: "oid", val: USER }, { typ, val: "Holdfast.Admin" }];
      const header = { "x-ms-client-principal": encoded({ auth_typ: "aad", claims }) };
      expect(caller(header).isAdmin).toBe(false);
    }
  });

  const id = { "x-ms-client-principal-id": USER };
  const oid = (val: string) => ({ typ: "oid", val });
  const claims = [oid(USER)];
  const header = (value: string) => ({ "x-ms-client-principal": value });
  const entra = (value: object) => header(encoded({ auth_typ: "aad", ...value }));
  const raw = (text: string) => header(Buffer.from(text).toString("base64"));
  test.each<readonly [string, Readonly<Record<string, string>>]>([
    ["nothing", {}],
    ["the id alone", id],
    ["an empty principal", { ...id, ...header("") }],
    ["no base64", { ...id, ...header("{}") }],
    ["base64 of no JSON", { ...id, ...raw("{") }],
    ["bytes that are no text", { ...id, ...header("/////w==") }],
    ["null", { ...id, ...header(encoded(null)) }],
    ["a list", { ...id, ...header(encoded([claims])) }],
    ["a number", { ...id, ...header(encoded(7)) }],
    ["no claims", { ...id, ...entra({}) }],
    ["claims that are null", { ...id, ...entra({ claims: null }) }],
    ["a claim without a value", entra({ claims: [{ typ: "oid" }] })],
    ["another provider", header(encoded({ auth_typ: "github", claims }))],
    ["no provider", header(encoded({ claims }))],
    ["two ids", { ...principal(USER), "x-ms-client-principal-id": "another" }],
    ["two oid claims", entra({ claims: [...claims, oid("b")] })],
    ["no id at all", entra({ claims: [] })],
    ["an id with a space", principal("a b")],
    ["an id that is too long", principal("a".repeat(129))],
    ["an id with a control character", entra({ claims: [oid("a\u0000")] })],
    ["a principal of a megabyte", header("A".repeat(1_000_000))],
    ["deep nesting", raw("[".repeat(40_000))],
    ["__proto__", { ...id, ...raw('{"__proto__":{"auth_typ":"aad","claims":[]}}') }],
  ])("%s is refused as UNAUTHENTICATED", (_name, headers) => {
    expect(refusal(headers)).toBe("UNAUTHENTICATED");
  });

  test("an id without an oid claim is the header's", () => {
    const headers = { ...id, ...header(encoded({ auth_typ: "aad", claims: [] })) };
    expect(caller(headers)).toEqual({ authenticated_as: `principal:${USER}`, isAdmin: false });
  });
});

test("without sign-in no header makes anybody somebody", () => {
  for (const headers of [{}, principal("root", ["Holdfast.Admin"]), { authorization: "x" }]) {
    expect(caller(headers, { mode: "keys" })).toEqual({ authenticated_as: "key", isAdmin: true });
  }
});
