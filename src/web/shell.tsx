// The frame around every view: who reads (the key), where (the hash), landmarks, and the line that
// says to a reader who does not see the page what has changed.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { JobView } from "./job-view.tsx";
import { JobsView } from "./jobs-view.tsx";
import { KeyForm } from "./key-form.tsx";
import { KeyStore } from "./key-store.ts";
import { links, placeOf, viewKey } from "./router.ts";
import type { Place } from "./router.ts";
import { SessionProvider, clientFor } from "./session.ts";
import { SubmitView } from "./submit-view.tsx";
import { WorkflowView } from "./workflow-view.tsx";
import { WorkflowsView } from "./workflows-view.tsx";

const KEYS = new KeyStore(tabStorage());
const REFUSED = "The key was refused (401). Enter a key that this app knows.";

/** A browser may forbid a page to keep anything; then the key stays in memory. */
function tabStorage(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}

export function Shell() {
  const [key, setKey] = useState(KEYS.key);
  const [refusal, setRefusal] = useState<string>();
  const [message, setMessage] = useState("");
  const [isEntered, setEntered] = useState(false);
  const place = usePlace();
  const client = useMemo(() => {
    if (key === undefined) return undefined;
    return clientFor(key, (why) => {
      // A late answer to a key that is no longer this one.
      if (KEYS.key !== key) return;
      KEYS.forget();
      setRefusal(why === undefined ? REFUSED : `${REFUSED} The app says: ${why}`);
      setKey(undefined);
    });
  }, [key]);
  const session = useMemo(
    () => (client === undefined ? undefined : { client, announce: setMessage }),
    [client],
  );
  const leave = useCallback(() => {
    KEYS.forget();
    setRefusal(undefined);
    setKey(undefined);
  }, []);
  const enter = (given: string, forThisTab: boolean): void => {
    KEYS.keep(given, forThisTab);
    setRefusal(undefined);
    setEntered(true);
    setKey(given);
  };
  return (
    <>
      <SkipLink />
      <Header place={place} onLeave={session === undefined ? undefined : leave} />
      <main id="main">
        {session === undefined ? (
          <KeyForm refusal={refusal} onKey={enter} />
        ) : (
          <SessionProvider value={session}>
            <View place={place} isEntered={isEntered} />
          </SessionProvider>
        )}
      </main>
      <p class="unseen" role="status" aria-live="polite">
        {message}
      </p>
    </>
  );
}

/** A link to `#main` would be taken for a place. */
function SkipLink() {
  const skip = (event: Event): void => {
    event.preventDefault();
    focusOn(document.querySelector<HTMLElement>("#main h1"));
  };
  return (
    <a class="skip" href="#main" onClick={skip}>
      Skip to the content
    </a>
  );
}

interface HeaderProps {
  readonly place: Place;
  readonly onLeave: (() => void) | undefined;
}

function Header({ place, onLeave }: HeaderProps) {
  const isJobs = place.view === "jobs" || place.view === "job";
  return (
    <header class="top">
      <a class="brand" href={links.jobs()}>
        Holdfast
      </a>
      <nav aria-label="Views">
        <a href={links.jobs()} aria-current={isJobs ? "page" : undefined}>
          Jobs
        </a>
        <a href={links.workflows()} aria-current={isJobs ? undefined : "page"}>
          Workflows
        </a>
      </nav>
      {onLeave === undefined ? null : (
        <button type="button" class="quiet" onClick={onLeave}>
          Forget the key
        </button>
      )}
    </header>
  );
}

interface ViewProps {
  readonly place: Place;
  /** Whether the reader came by the form for the key, which took the focus with it. */
  readonly isEntered: boolean;
}

function View({ place, isEntered }: ViewProps) {
  const shown = viewKey(place);
  const isFirst = useRef(!isEntered);
  useEffect(() => {
    // Who has just come to the page is left where they are; after that each view begins at its
    // heading.
    if (!isFirst.current) focusOn(document.querySelector<HTMLElement>("#main h1"));
    isFirst.current = false;
  }, [shown]);
  switch (place.view) {
    case "jobs":
      return <JobsView query={place.query} />;
    case "job":
      return <JobView key={shown} jobId={place.jobId} nodeId={place.nodeId} query={place.query} />;
    case "workflows":
      return <WorkflowsView />;
    case "workflow":
      return <WorkflowView key={shown} workflowId={place.workflowId} />;
    case "submit":
      return <SubmitView key={shown} workflowId={place.workflowId} />;
  }
}

function focusOn(element: HTMLElement | null): void {
  if (element === null) return;
  element.tabIndex = -1;
  element.focus();
}

function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const update = (): void => setPlace(placeOf(location.hash));
    addEventListener("hashchange", update);
    return () => removeEventListener("hashchange", update);
  }, []);
  return place;
}
