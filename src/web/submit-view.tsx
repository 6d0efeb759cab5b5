// Starts a job: a form made of the workflow's inputs. "Check" asks the app what speaks against the
// job, "Submit" starts it; what is wrong stands beside the field it is about.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ProblemIssue, Submission } from "../api/wire.ts";
import { ApiError } from "../client/client.ts";
import { readDefinition } from "./definition.ts";
import type { ShownInput } from "./definition.ts";
import type { FileRow } from "./drift-model.ts";
import { useLoaded } from "./loading.ts";
import { PageTitle } from "./page-title.tsx";
import { Failure, Loading } from "./parts.tsx";
import { links } from "./router.ts";
import { errorText, useSession } from "./session.ts";
import { InputField, LabelFields } from "./submit-fields.tsx";
import { LABEL_FIELDS, placedIssues, submissionOf } from "./submit-model.ts";
import type { PlacedIssues } from "./submit-model.ts";
import { isStartable } from "./workflows-view.tsx";


export function SubmitView({ workflowId }: { readonly workflowId: string }) {
  const { client } = useSession();
  const { value, error } = useLoaded((signal) => client.workflow(workflowId, { signal }));
  const rows = (value?.versions ?? [])
    .filter(isStartable)
    .toSorted((a, b) => (b.version ?? 0) - (a.version ?? 0));
  return (
    <div class="narrow">
      <nav class="crumbs" aria-label="Where you are">
        <a href={links.workflows()}>Workflows</a> /{" "}
        <a href={links.workflow(workflowId)}>{workflowId}</a> / <span>Submit</span>
      </nav>
      <PageTitle title={`Submit ${workflowId}`} />
      {error === undefined ? null : <Failure error={error} />}
      {value === undefined && error === undefined ? <Loading what="the workflow" /> : null}
      {value !== undefined && rows.length === 0 ? (
        <p class="notice bad">
          No version of this workflow can start a job.{" "}
          <a href={links.workflow(workflowId)}>See what is wrong</a>.
        </p>
      ) : null}
      {rows.length === 0 ? null : <SubmitForm workflowId={workflowId} rows={rows} />}
    </div>
  );
}

interface SubmitFormProps {
  readonly workflowId: string;
  /** The highest first. */
  readonly rows: readonly FileRow[];
}

const NO_ISSUES: PlacedIssues = { inputs: new Map(), fields: new Map(), others: [] };

function SubmitForm({ workflowId, rows }: SubmitFormProps) {
  const [version, setVersion] = useState(rows[0]?.version);
  const row = rows.find((one) => one.version === version);
  const inputs = useMemo(
    () => (row?.definition === undefined ? [] : readDefinition(row.definition).inputs),
    [row],
  );
  const form = useRef<HTMLFormElement>(null);
  const sending = useSending({ workflowId, version, inputs, form });
  const { issues, verdict, isSending, send, forget } = sending;
  const submit = (event: Event): void => {
    event.preventDefault();
    send("submit");
  };
  return (
    <form class="card form" ref={form} onSubmit={submit} onInput={forget} noValidate>
      {rows.length === 1 ? null : (
        <div class="field">
          <label for="version">Version</label>
          <select id="version" onChange={(event) => setVersion(Number(event.currentTarget.value))}>
            {rows.map((one) => (
              <option key={one.version} value={one.version} selected={one.version === version}>
                v{one.version}
              </option>
            ))}
          </select>
        </div>
      )}
      <Said verdict={verdict} others={issues.others} />
      <fieldset>
        <legend>Inputs</legend>
        {inputs.length === 0 ? <p class="dim">This workflow takes no inputs.</p> : null}
        {inputs.map((input) => (
          // A choice is named by its place, so nothing is carried over to another version.
          <InputField
            key={`${version ?? ""} ${input.name}`}
            input={input}
            issues={issues.inputs.get(input.name) ?? []}
          />
        ))}
      </fieldset>
      <LabelFields issues={issues.fields} />
      <div class="buttons">
        <button type="submit" class="primary" aria-disabled={isSending}>
          Submit
        </button>
        <button type="button" aria-disabled={isSending} onClick={() => send("check")}>
          Check
        </button>
      </div>
    </form>
  );
}

interface SaidProps {
  readonly verdict: Verdict | undefined;
  /** Issues that belong to no field. */
  readonly others: readonly string[];
}

function Said({ verdict, others }: SaidProps) {
  return (
    <>
      <div role="status" aria-live="polite">
        {verdict === undefined ? null : (
          <p class={verdict.isGood ? "notice good" : "notice bad"}>{verdict.text}</p>
        )}
      </div>
      {others.length === 0 ? null : (
        <ul class="issues">
          {others.map((text, index) => (
            <li key={index}>{text}</li>
          ))}
        </ul>
      )}
    </>
  );
}

interface Sending {
  readonly workflowId: string;
  readonly version: number | undefined;
  readonly inputs: readonly ShownInput[];
  readonly form: { readonly current: HTMLFormElement | null };
}

interface Verdict {
  readonly isGood: boolean;
  readonly text: string;
}

function useSending({ workflowId, version, inputs, form }: Sending) {
  const { client } = useSession();
  const [issues, setIssues] = useState(NO_ISSUES);
  const [verdict, setVerdict] = useState<Verdict>();
  const [isSending, setSending] = useState(false);
  const isLeft = useLeft();
  // As soon as the fields have been drawn with what is wrong: the first of them.
  useLayoutEffect(() => {
    if (issues === NO_ISSUES) return;
    form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [issues]);
  const refuse = (found: readonly ProblemIssue[], text: string): void => {
    const names = inputs.map(({ name }) => name);
    setIssues(placedIssues(found, { inputs: names, fields: LABEL_FIELDS }));
    setVerdict({ isGood: false, text });
    setSending(false);
  };
  const check = async (submission: Submission): Promise<void> => {
    const answer = await client.validateJob(submission);
    if (!answer.valid) {
      refuse(answer.issues, "A job could not start. What is wrong stands below.");
      return;
    }
    setVerdict({ isGood: true, text: goodText(answer.job_id) });
    setSending(false);
  };
  const act = async (what: "check" | "submit", submission: Submission): Promise<void> => {
    try {
      if (what === "check") {
        await check(submission);
        return;
      }
      const { job_id } = await client.submit(submission);
      // Who has gone on to something else meanwhile is left there.
      if (!isLeft.current) location.hash = links.job(job_id);
    } catch (error) {
      const found = error instanceof ApiError ? (error.problem?.issues ?? []) : [];
      refuse(found, errorText(error));
    }
  };
  const send = (what: "check" | "submit"): void => {
    if (form.current === null || isSending) return;
    const made = submissionOf({ workflowId, version, inputs }, fieldsOf(form.current));
    setIssues(NO_ISSUES);
    if (made.submission === undefined) {
      refuse(made.issues, "Not sent yet: some fields cannot be read.");
      return;
    }
    setVerdict(undefined);
    setSending(true);
    void act(what, made.submission);
  };
  // What was said of other fields is no longer so.
  const forget = (): void => {
    if (verdict !== undefined && !isSending) setVerdict(undefined);
  };
  return { issues, verdict, isSending, send, forget };
}

function goodText(jobId: string | undefined): string {
  if (jobId === undefined) return "A job could start with this.";
  return `The idempotency key names job ${jobId} already: it would be answered again.`;
}

/** Becomes true once the view is gone. */
function useLeft(): { readonly current: boolean } {
  const isLeft = useRef(false);
  useEffect(
    () => () => {
      isLeft.current = true;
    },
    [],
  );
  return isLeft;
}

function fieldsOf(form: HTMLFormElement): ReadonlyMap<string, string> {
  const texts = [...new FormData(form)].flatMap(([name, value]): [string, string][] =>
    typeof value === "string" ? [[name, value]] : [],
  );
  return new Map(texts);
}
