// Cancels a job, after it was asked once more. The dialog is the browser's own: it holds the focus,
// closes with Escape and gives the focus back.
import { useRef, useState } from "preact/hooks";
import type { Job } from "../api/wire.ts";
import { errorText, useSession } from "./session.ts";

const MOST_CHARS = 256;

interface CancelJobProps {
  readonly job: Job;
  readonly onCancelled: () => void;
}

export function CancelJob({ job, onCancelled }: CancelJobProps) {
  const { client, announce } = useSession();
  const dialog = useRef<HTMLDialogElement>(null);
  const reason = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string>();
  const [isSending, setSending] = useState(false);
  if (job.status === "cancelling") return null;
  const send = async (): Promise<void> => {
    setSending(true);
    try {
      const text = reason.current?.value.trim() ?? "";
      await client.cancel(job.job_id, text === "" ? undefined : text);
      dialog.current?.close();
      announce("The job is being cancelled");
      onCancelled();
    } catch (error) {
      setProblem(errorText(error));
    }
    setSending(false);
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!isSending) void send();
  };
  return (
    <>
      <button type="button" class="danger" onClick={() => dialog.current?.showModal()}>
        Cancel job…
      </button>
      <dialog ref={dialog} aria-labelledby="cancel-title" onClose={() => setProblem(undefined)}>
        <form class="form" onSubmit={submit}>
          <h2 id="cancel-title">Cancel this job?</h2>
          <p>Nodes that run are told to stop, and nothing new starts. This cannot be undone.</p>
          {problem === undefined ? null : (
            <p class="notice bad" role="alert">
              {problem}
            </p>
          )}
          <label for="reason">Reason (optional, kept in its history)</label>
          <input id="reason" ref={reason} maxLength={MOST_CHARS} autocomplete="off" />
          <div class="buttons">
            <button type="submit" class="danger" aria-disabled={isSending}>
              Cancel the job
            </button>
            <button type="button" onClick={() => dialog.current?.close()}>
              Keep it running
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
