// How views get what they show: once, again and again while somebody looks, or by waiting for a job
// to move. A view that is left stops its requests; a hidden tab asks for nothing.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Job } from "../api/wire.ts";
import type { Client } from "../client/client.ts";
import { nowMillis } from "./instant.ts";
import { Refresher, mayPass } from "./refresher.ts";
import { isEnded } from "./summary.ts";

export interface Loaded<T> {
  /** The last good answer; it stays while a newer one is asked for. */
  readonly value: T | undefined;
  /** Of the last request; undefined once one went well. */
  readonly error: unknown;
}

type Load<T> = (signal: AbortSignal) => Promise<T>;

const NOTHING = { value: undefined, error: undefined } as const;

export interface When {
  /** What is shown: another one begins with nothing. */
  readonly subject?: string;
  /** Changes when the same thing may have moved: it is asked for again, once at a time. */
  readonly moved?: string | number;
}

/** Asks at first and when told to, and keeps showing what is there meanwhile. */
export function useLoaded<T>(load: Load<T>, { subject = "", moved = "" }: When = {}): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T>>(NOTHING);
  const ask = useRefresher(subject, {
    load,
    onBegin: () => setLoaded(NOTHING),
    onValue: (value) => setLoaded({ value, error: undefined }),
    onError: (error) => setLoaded((before) => ({ ...before, error })),
  });
  const asked = useRef({ subject, moved });
  useEffect(() => {
    const before = asked.current;
    asked.current = { subject, moved };
    if (before.subject === subject && before.moved !== moved) ask();
  }, [subject, moved]);
  return loaded;
}

interface Asking<T> {
  readonly load: Load<T>;
  readonly onBegin: () => void;
  readonly onValue: (value: T) => void;
  readonly onError: (error: unknown) => void;
}

/** Asks at once for each `subject`, and whenever the function that it answers is called. */
export function useRefresher<T>(subject: string, asking: Asking<T>): () => void {
  const latest = useRef(asking);
  latest.current = asking;
  const refresher = useRef<Refresher<T>>(undefined);
  useEffect(() => {
    const own = new Refresher<T>({
      load: (signal) => latest.current.load(signal),
      onValue: (value) => latest.current.onValue(value),
      onError: (error) => latest.current.onError(error),
      pause: pauseSeen,
    });
    refresher.current = own;
    latest.current.onBegin();
    own.ask();
    return () => own.stop();
  }, [subject]);
  return useCallback(() => refresher.current?.ask(), []);
}

export function useVisible(): boolean {
  const [isVisible, setVisible] = useState(!document.hidden);
  useEffect(() => {
    const update = (): void => setVisible(!document.hidden);
    document.addEventListener("visibilitychange", update);
    return () => document.removeEventListener("visibilitychange", update);
  }, []);
  return isVisible;
}

/** How often the reader has come back to this tab. */
export function useTimesSeen(): number {
  const isVisible = useVisible();
  const [times, setTimes] = useState(0);
  const before = useRef(isVisible);
  useEffect(() => {
    if (isVisible && !before.current) setTimes((count) => count + 1);
    before.current = isVisible;
  }, [isVisible]);
  return times;
}

/** Counts up every `ms` while `isOn` and somebody looks; and at once when that begins again. */
export function useTicks(ms: number, isOn: boolean): number {
  const [ticks, setTicks] = useState(0);
  const isRunning = useVisible() && isOn;
  const wasRunning = useRef(isRunning);
  useEffect(() => {
    if (!isRunning) {
      wasRunning.current = false;
      return undefined;
    }
    const tick = (): void => setTicks((count) => count + 1);
    if (!wasRunning.current) tick();
    wasRunning.current = true;
    const timer = setInterval(tick, ms);
    return () => clearInterval(timer);
  }, [isRunning, ms]);
  return ticks;
}

/** The time, anew every second while `isOn`. */
export function useNow(isOn: boolean): number {
  useTicks(1000, isOn);
  return nowMillis();
}

const WAIT_SECONDS = 20;
/** Between two answers: a job of a thousand items moves more often than anybody can read. */
const PAUSE_MS = 250;
/** An app that holds as many requests as it will answers at once; it is asked once a second. */
const UNHELD_MS = 1000;
const AFTER_ERROR_MS = 3000;

export interface FollowedJob extends Loaded<Job> {
  /** Asks anew at once, such as after a cancel. */
  readonly reload: () => void;
}

/** The job as it is, held up to date by requests that wait for its next change. */
export function useJob(client: Client, jobId: string): FollowedJob {
  const [loaded, setLoaded] = useState<Loaded<Job>>(NOTHING);
  const [round, setRound] = useState(0);
  const isVisible = useVisible();
  useEffect(() => {
    if (!isVisible) return undefined;
    const stop = new AbortController();
    void follow({ client, jobId, signal: stop.signal, update: setLoaded });
    return () => stop.abort();
  }, [client, jobId, isVisible, round]);
  const reload = useCallback(() => setRound((count) => count + 1), []);
  return { ...loaded, reload };
}

interface Following {
  readonly client: Client;
  readonly jobId: string;
  readonly signal: AbortSignal;
  readonly update: (change: (before: Loaded<Job>) => Loaded<Job>) => void;
}

async function follow({ client, jobId, signal, update }: Following): Promise<void> {
  let etag: string | undefined;
  while (!signal.aborted) {
    try {
      const wait = etag === undefined ? undefined : WAIT_SECONDS;
      const askedAt = nowMillis();
      const { body, etag: next } = await client.job(jobId, { etag, wait, signal });
      if (signal.aborted) return;
      etag = next;
      if (body !== undefined) update(() => ({ value: body, error: undefined }));
      if (body !== undefined && isEnded(body.status)) return;
      const heldMs = nowMillis() - askedAt;
      const isHeld = body !== undefined || heldMs >= WAIT_SECONDS * 1000 - UNHELD_MS;
      await pause(isHeld ? PAUSE_MS : UNHELD_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      update((before) => ({ ...before, error }));
      if (!mayPass(error)) return;
      etag = undefined;
      await pause(AFTER_ERROR_MS, signal);
    }
  }
}

/** Ends early, and well, when it is no longer wanted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

/** The same, and until somebody looks: a hidden tab asks for nothing. */
async function pauseSeen(ms: number, signal: AbortSignal): Promise<void> {
  do await pause(ms, signal);
  while (document.hidden && !signal.aborted);
}
