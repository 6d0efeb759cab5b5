// Asks for the key and says where one comes from. The key goes into a header of each request and
// nowhere else; it is tried before a view is shown.
import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../client/client.ts";
import { clientFor, errorText } from "./session.ts";
import { PageTitle } from "./page-title.tsx";

interface KeyFormProps {
  /** Why a key that was good is asked for again. */
  readonly refusal: string | undefined;
  readonly onKey: (key: string, forThisTab: boolean) => void;
}

export function KeyForm({ refusal, onKey }: KeyFormProps) {
  const field = useRef<HTMLInputElement>(null);
  const keep = useRef<HTMLInputElement>(null);
  const { problem, isTrying, enter } = useTrial({ refusal, onKey, field, keep });
  useLayoutEffect(() => field.current?.focus(), []);
  return (
    <div class="narrow">
      <PageTitle title="Enter the key" />
      <p>
        Holdfast answers to whoever has a function key. On your machine <code>npm start</code>{" "}
        prints the key. In Azure it stands in the Function App under <i>App keys</i>.
      </p>
      <form class="card form" onSubmit={enter} noValidate>
        {problem === undefined ? null : (
          <p class="notice bad" role="alert" id="key-problem">
            {problem}
          </p>
        )}
        <label for="key">Function key</label>
        <input
          id="key"
          ref={field}
          type="password"
          autocomplete="off"
          spellcheck={false}
          aria-invalid={problem !== undefined}
          aria-describedby={problem === undefined ? "key-note" : "key-problem key-note"}
        />
        <label class="check">
          <input type="checkbox" ref={keep} /> Keep it for this tab
        </label>
        <p id="key-note" class="hint">
          Without the tick a reload asks again. The key is never in the address and never kept after
          the tab is closed.
        </p>
        <button type="submit" class="primary" aria-disabled={isTrying}>
          {isTrying ? "Trying…" : "Continue"}
        </button>
      </form>
    </div>
  );
}

/** What a header can carry. */
const KEY = /^[\x21-\x7e]+$/;

interface Trial extends KeyFormProps {
  readonly field: RefObject<HTMLInputElement | null>;
  readonly keep: RefObject<HTMLInputElement | null>;
}

function useTrial({ refusal, onKey, field, keep }: Trial) {
  const [problem, setProblem] = useState(refusal);
  const [isTrying, setTrying] = useState(false);
  const tryKey = async (key: string): Promise<void> => {
    setTrying(true);
    let said: string | undefined;
    try {
      await clientFor(key, (why) => (said = why)).jobs({ limit: 1 });
      onKey(key, keep.current?.checked === true);
    } catch (error) {
      setProblem(`The key does not work. ${said ?? refusalText(error)}`);
      setTrying(false);
      field.current?.focus();
    }
  };
  const enter = (event: Event): void => {
    event.preventDefault();
    const key = field.current?.value.trim() ?? "";
    if (isTrying) return;
    if (key === "") setProblem("Enter a key: the field is empty.");
    else if (!KEY.test(key)) setProblem("A key has only ASCII letters, digits and signs.");
    else void tryKey(key);
  };
  return { problem, isTrying, enter };
}

function refusalText(error: unknown): string {
  const isRefused = error instanceof ApiError && error.status === 401;
  return isRefused ? "The app answered 401: it does not know this key." : errorText(error);
}
