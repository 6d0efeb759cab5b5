// Handlers of a simulated world. Each call is an execution with a number of its own, and every
// output carries it: what another attempt, another process or another node gave can be told apart.
// Calls may be slow, hang, ignore that they were told to stop, or take their process with them.
import type { Json } from "../../src/core/json.ts";
import type { Handler, HandlerContext } from "../../src/runtime/handlers.ts";
import { STREAM } from "./dice.ts";
import { CURRENT_KIT } from "./kit.ts";
import { HANDLERS } from "./random-definition.ts";
import type { Script, ScriptedParams } from "./random-definition.ts";
import { workKey } from "./stage.ts";
import type { Actor, Execution, Stage } from "./stage.ts";

/** Makes the built-in handlers of a process; shipped workflows run with them. */
export type HandlerMaker = (process: Actor) => readonly Handler[];

const ANYTHING = { safeParse: (data: unknown) => ({ success: true, data }) };
/** A share of the processes knows no snapshot: reading one is by far the dearest of all reads. */
const COLD = 0.04;
/** A share of the calls looks at its signal; the others go on after they were told to stop. */
const OBEDIENT = 0.7;

export class Handlers {
  /** Further handlers, beside the scripted ones. */
  maker: HandlerMaker = () => [];
  /** By job, node, item and attempt. */
  readonly executions = new Map<string, Execution>();
  /** Executions by what they worked on, for all attempts. */
  readonly efforts = new Map<string, number>();
  readonly #busy = new Set<Promise<unknown>>();
  readonly #world: Stage;
  #calls = 0;

  constructor(world: Stage) {
    this.#world = world;
  }

  of(process: Actor): readonly Handler[] {
    return [
      ...HANDLERS.map((name) => scripted(name, (context) => this.#script(process, context))),
      ...this.maker(process).map((handler) => this.#watched(process, handler)),
    ];
  }

  /** A process that has run for a while knows the snapshots; some begin cold. */
  warm(process: Actor): void {
    const { dice, catalog } = this.#world;
    if (process.kit !== CURRENT_KIT || dice.unit(STREAM.restart, -process.number) < COLD) return;
    for (const { workflow } of catalog.all) process.engine.snapshots.keep(workflow);
  }

  /** Of a claimed attempt; undefined where it never ran. */
  execution(key: string): Execution | undefined {
    return this.executions.get(key);
  }

  #began(process: Actor, context: HandlerContext<Json>): Execution {
    const { job_id: jobId, node_id: nodeId, index } = context.job;
    const { attempt, params, idempotencyKey } = context;
    const world = this.#world;
    this.#calls += 1;
    const number = this.#calls;
    const execution: Execution = { number, jobId, nodeId, index, attempt, process, params };
    const what = workKey(jobId, nodeId, index);
    const key = `${what}:${attempt}`;
    if (world.isTraced) world.say(`p${process.number} runs ${key} as execution ${number}`);
    if (this.executions.has(key)) world.fail(`${key} ran twice`);
    if (idempotencyKey !== what) world.fail(`${key} has the key ${idempotencyKey}`);
    this.executions.set(key, execution);
    this.efforts.set(what, (this.efforts.get(what) ?? 0) + 1);
    world.judge.ran(execution);
    return execution;
  }

  /** A real handler, with its calls on record. */
  #watched(process: Actor, handler: Handler): Handler {
    const run = (context: HandlerContext<Json>): Promise<unknown> => {
      const execution = this.#began(process, context);
      const answer = handler.run(context).then(
        (output) => {
          execution.answer ??= { output: output as Json };
          return output;
        },
        (error: unknown) => {
          execution.answer ??= { code: "HANDLER_FAILED" };
          throw error;
        },
      );
      // A sleep takes the world's time; the others take the machine's, which must not show.
      return handler.name === "sleep" ? answer : this.#inOrder(process, answer);
    };
    return { ...handler, run };
  }

  /** The world stands still until the handler has answered; who was called first is heard first. */
  #inOrder<T>(process: Actor, answer: Promise<T>): Promise<T> {
    const forget = (): void => void this.#busy.delete(answer);
    this.#busy.add(answer);
    answer.then(forget, forget);
    return new Promise((resolve, reject) => {
      process.after(1, () => void answer.then(resolve, reject));
    });
  }

  /** Waits for real handlers that take the machine's time; nothing else may happen meanwhile. */
  async quiet(): Promise<void> {
    while (this.#busy.size > 0) await Promise.allSettled(this.#busy);
  }

  get isQuiet(): boolean {
    return this.#busy.size === 0;
  }

  #script(process: Actor, context: HandlerContext<Json>): Promise<unknown> {
    const execution = this.#began(process, context);
    const params = context.params as unknown as ScriptedParams;
    const { script } = params;
    const word = script[Math.min(context.attempt, script.length) - 1] ?? "ok";
    const given = this.#behaviour(execution, word);
    if (given.kills) {
      this.#world.crash(process);
      return new Promise(() => undefined);
    }
    return new Promise((resolve, reject) => {
      const end = (): void => this.#answer({ execution, word, params }, { resolve, reject });
      const cancel = given.ms === undefined ? undefined : process.after(given.ms, end);
      if (!given.isObedient) return;
      context.signal.addEventListener("abort", () => {
        cancel?.();
        execution.answer ??= { code: "STOPPED" };
        process.after(5, () => reject(new Error("told to stop")));
      });
    });
  }

  /** How long the call takes; no time at all for one that hangs. */
  #behaviour(
    { number, attempt, process }: Execution,
    word: Script,
  ): { readonly ms?: number; readonly kills?: true; readonly isObedient: boolean } {
    const world = this.#world;
    const { dice, plan } = world;
    const place = `run:${number}`;
    const fault = world.decide(place, () => {
      const { handler } = world.rates;
      // While a second attempt takes its time the first may come back.
      const rate = handler > 0 && attempt > 1 ? 0.5 : handler;
      const drawn = dice.unit(STREAM.execution, number);
      if (rate === 0 || drawn >= rate) return undefined;
      if (drawn < rate * 0.15) return "kills";
      if (drawn < rate * 0.3) return "hangs";
      if (drawn < rate * 0.6 && attempt === 1) {
        return `freezes:${60 + dice.below(STREAM.argument, 8_000_000 + number, 240)}`;
      }
      const lengths = attempt > 1 ? [200_000] : [3000, 50_000, 130_000];
      const most = dice.pick(STREAM.argument, 6_000_000 + number, lengths);
      return `slow:${1 + dice.below(STREAM.argument, 7_000_000 + number, most)}`;
    });
    if (fault !== undefined) world.fire(place, fault);
    const isObedient = dice.unit(STREAM.execution, -number) < OBEDIENT;
    if (fault === "kills") return { kills: true, isObedient };
    if (word === "kill" && plan.mode !== "fault_free") return { kills: true, isObedient };
    if (fault === "hangs" || word === "hang") return { isObedient };
    if (fault?.startsWith("freezes") === true) {
      // The answer comes when the process goes on; others may have taken over by then.
      const until = world.time.now + Number(fault.split(":")[1]) * 1000;
      process.pausedUntil = Math.max(process.pausedUntil, until);
      return { ms: 1, isObedient: false };
    }
    if (fault !== undefined) return { ms: Number(fault.split(":")[1]), isObedient };
    const drawn = plan.noise ? dice.unit(STREAM.output, number) : 0.5;
    const ms = drawn < 0.9 ? Math.floor(drawn * 30) : Math.floor((drawn - 0.9) * 40_000);
    return { ms, isObedient };
  }

  #answer(
    given: {
      readonly execution: Execution;
      readonly word: Script;
      readonly params: ScriptedParams;
    },
    { resolve, reject }: {
      readonly resolve: (output: Json) => void;
      readonly reject: (error: Error) => void;
    },
  ): void {
    const { execution, word, params } = given;
    const { kit } = execution.process;
    if (word === "fail" || word === "final") {
      const code = word === "fail" ? "SCRIPTED" : "SCRIPTED_FINAL";
      execution.answer ??= { code };
      const Kind = word === "fail" ? kit.RetryableError : kit.TerminalError;
      reject(new Kind("as the script says", code));
      return;
    }
    const output = this.#outputOf(execution, params);
    execution.answer ??= { output };
    resolve(output);
  }

  #outputOf({ number, process, nodeId, attempt }: Execution, params: ScriptedParams): Json {
    const { dice } = this.#world;
    const n = dice.below(STREAM.output, -number, 10);
    const t = `${nodeId}:${attempt}:p${process.number}:x${number}`;
    const list = Array.from({ length: params.list }, (_, index) => n * 10 + index);
    return {
      t,
      n,
      ...(params.list === 0 ? {} : { list }),
      ...(params.pad === 0 ? {} : { pad: "x".repeat(params.pad) }),
    };
  }
}

function scripted(name: string, run: Handler["run"]): Handler {
  const schema = ANYTHING as unknown as Handler["params"];
  return { name, version: "1", description: "", params: schema, output: schema, run };
}
