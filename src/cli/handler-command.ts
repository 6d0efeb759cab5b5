// One handler alone, in this process, as an attempt of a task would run it: params are checked,
// the time-out holds, the output must be storable. No store, no queue, no job.
import type { Json } from "../core/json.ts";
import type { HandlerRegistry } from "../runtime/handlers.ts";
import type { Clock } from "../runtime/ports.ts";
import { runAttempt } from "../runtime/run-handler.ts";
import type { AttemptOutcome } from "../runtime/run-handler.ts";
import type { Call, Command } from "./command.ts";
import { numberOf, printJson, textOf, textsOf } from "./command.ts";
import { PAIRS, fileInputs, plainInputs } from "./inputs.ts";
import { CommandProblem, EXIT, jsonText, safe } from "./terminal.ts";
import type { Exit } from "./terminal.ts";
import { didYouMean } from "../core/nearest.ts";
import { durationText } from "./text-layout.ts";

export interface HandlerSetting {
  readonly handlers: HandlerRegistry;
  readonly clock: Clock;
}

async function handlerTest(call: Call, { handlers, clock }: HandlerSetting): Promise<Exit> {
  const { terminal, operands, values } = call;
  const name = operands[0] ?? "";
  const handler = handlers.get(name);
  if (handler === undefined) {
    const names = handlers.list().map((one) => one.name);
    const hint = didYouMean(name, names).hint ?? `there are ${names.join(", ")}`;
    throw new CommandProblem(`no handler "${safe(name)}" in this build`, { hint });
  }
  const file = textOf(values, "params-file");
  const params: Json = {
    ...(file === undefined ? {} : await fileInputs(call, file)),
    ...plainInputs(textsOf(values, "input")),
  };
  const began = terminal.nowMs();
  const outcome = await runAttempt({
    handler,
    params,
    attempt: numberOf(values, "attempt", [1, 100]) ?? 1,
    idempotencyKey: "test/node",
    job: { job_id: "test", workflow_id: "test", workflow_version: 1, node_id: "node" },
    timeoutSeconds: numberOf(values, "timeout", [1, 540]) ?? 300,
    signal: terminal.signal,
    clock,
  });
  const seconds = (terminal.nowMs() - began) / 1000;
  if (call.isJson) printJson(call, { handler: name, ...outcome, duration_seconds: seconds });
  else print(call, outcome, seconds);
  return outcome.kind === "completed" ? EXIT.ok : EXIT.no;
}

function print({ terminal, paint }: Call, outcome: AttemptOutcome, seconds: number): void {
  for (const line of outcome.log) terminal.err(`${paint("dim", "log")}  ${safe(line)}`);
  const took = `in ${durationText(seconds)}`;
  if (outcome.kind === "completed") {
    terminal.out(jsonText(outcome.output, 2));
    terminal.err(`${paint("good", "completed")} ${took}`);
    return;
  }
  const reason = outcome.kind === "failed" ? outcome.error : undefined;
  const retry = outcome.kind === "failed" && !outcome.retryable ? "; a retry would not help" : "";
  const told = reason === undefined ? "" : `: ${reason.code}: ${safe(reason.message)}${retry}`;
  terminal.err(`${paint("bad", outcome.kind)} ${took}${told}`);
}

export function handlerCommands(setting: HandlerSetting): readonly Command[] {
  return [
    {
      name: "handler test",
      summary: "try a handler alone, without an app",
      operands: "NAME",
      takes: [1, 1],
      options: {
        input: { ...PAIRS, text: `one of its params; ${PAIRS.text}` },
        "params-file": { type: "string", value: "FILE", text: "params as JSON or YAML" },
        attempt: { type: "string", value: "N", text: "the number of the attempt; 1" },
        timeout: { type: "string", value: "SECONDS", text: "1 to 540; 300" },
      },
      examples: [
        "holdfast handler test echo -i message=hello",
        "holdfast handler test parse_csv --params-file params.yaml",
      ],
      run: (call) => handlerTest(call, setting),
    },
  ];
}
