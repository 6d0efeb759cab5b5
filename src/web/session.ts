// What every view shares: the client with the reader's key, and one word to the reader who listens.
// An answer of 401, whoever asked, leads back to the form for the key.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { ApiError, Client } from "../client/client.ts";

export interface Session {
  readonly client: Client;
  /** Says something to a reader who does not see it. */
  readonly announce: (message: string) => void;
}

const SessionContext = createContext<Session | undefined>(undefined);
export const SessionProvider = SessionContext.Provider;

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error("a view stands outside of the session");
  return session;
}

/** Longer than any answer is held; what does not come by then is asked for again. */
const MOST_MS = 45_000;

/** `endpoint` is what stands before `/api/ui`: empty unless a proxy puts something there. */
export function clientFor(key: string, onRefused: (why: string | undefined) => void): Client {
  const endpoint = location.pathname.replace(/\/api\/ui\/?$/, "");
  return new Client({
    endpoint,
    key,
    fetch: async (input, init) => {
      const late = AbortSignal.timeout(MOST_MS);
      const signal = AbortSignal.any([...(init?.signal ? [init.signal] : []), late]);
      const response = await fetch(input, { ...init, signal });
      if (response.status === 401) onRefused(await detailOf(response.clone()));
      return response;
    },
  });
}

/** The host refuses with an empty body, the app with a problem. */
async function detailOf(response: Response): Promise<string | undefined> {
  const type = response.headers.get("content-type") ?? "";
  if (!type.includes("problem+json")) return undefined;
  const { detail } = (await response.json()) as { readonly detail?: string };
  return detail;
}

/** What went wrong, for a reader: what the app says, or that it did not answer. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  if (error instanceof TypeError) {
    return "The app did not answer. Is it running, and are you still signed in?";
  }
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return `The app did not answer within ${MOST_MS / 1000} seconds.`;
  }
  return error instanceof Error ? error.message : String(error);
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}
