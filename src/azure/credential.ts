// The token credential of an identity connection. @azure/identity is large, so it is loaded only
// when an identity is really used.
import type { TokenCredential } from "@azure/identity";
import type { Identity } from "./connection-settings.ts";

export async function credentialOf(
  identity: Pick<Identity, "managed" | "clientId">,
): Promise<TokenCredential> {
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import("@azure/identity");
  if (!identity.managed) return new DefaultAzureCredential();
  return identity.clientId === undefined
    ? new ManagedIdentityCredential()
    : new ManagedIdentityCredential({ clientId: identity.clientId });
}
