// Reading requests: bodies within their bound, JSON without surprises, query parameters and ids
// that are checked before anything is looked up. Everything wrong is reported at once.
import type { HttpRequest } from "@azure/functions";
import * as z from "zod";
import { jsonTextProblems } from "../api/json-text.ts";
import { WorkflowError } from "../core/error.ts";
import type { Issue } from "../core/error.ts";
import { firstIssues } from "../core/issues.ts";
import { jsonProblem, utf8Bytes } from "../core/json.ts";
import { MAX_BODY_BYTES, MAX_ISSUES } from "../core/limits.ts";
import { didYouMean } from "../core/nearest.ts";
import { safeParse } from "../core/safe-parse.ts";
import { pointerOf } from "../core/schema-issues.ts";
import { listNames } from "../core/text.ts";

const uuid = z.uuid();

/** The `job_id` of the route. A malformed one names no job. */
export function jobIdOf(request: HttpRequest): string {
  const id = request.params["job_id"] ?? "";
  const parsed = safeParse(uuid, id.toLowerCase());
  if (!parsed.success) throw new WorkflowError("JOB_NOT_FOUND", `job ${shown(id)}: not found`);
  return parsed.data;
}

/** Text of a client in a message of ours: short, on one line. */
export function shown(text: string): string {
  const short = text.length > 64 ? `${text.slice(0, 64)}…` : text;
  return JSON.stringify(short.toWellFormed());
}

/** A JSON body. Errors: UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, BAD_REQUEST with all issues. */
export async function readJson<T>(request: HttpRequest, schema: z.ZodType<T>): Promise<T> {
  assertJson(request);
  return checked(await readText(request, MAX_BODY_BYTES), schema);
}

/** A JSON body that may be missing; whether it is, its bytes say and no header. */
export async function readOptionalJson<T>(
  request: HttpRequest,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const text = await readText(request, MAX_BODY_BYTES);
  if (text === "") return undefined;
  assertJson(request);
  return checked(text, schema);
}

function assertJson(request: HttpRequest): void {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/(?:[a-z0-9.+-]+\+)?json\b/i.test(type)) {
    const got = type === "" ? "none" : shown(type);
    const message = `content-type: expected application/json, got ${got}`;
    throw new WorkflowError("UNSUPPORTED_MEDIA_TYPE", message);
  }
}

function checked<T>(text: string, schema: z.ZodType<T>): T {
  const value = parseJson(text);
  // First, for it bounds how deep the text is: a place in it is as long as it is deep.
  assertPlain(value);
  const problems = jsonTextProblems(text, MAX_ISSUES);
  if (problems.length > 0) throw refused(problems, (problem) => problem);
  return parsedBy(schema, value);
}

/** `value` as the schema has it. Errors: BAD_REQUEST with all issues. */
export function fitting<T>(value: unknown, schema: z.ZodType<T>): T {
  assertPlain(value);
  return parsedBy(schema, value);
}

function assertPlain(value: unknown): void {
  const problem = jsonProblem(value);
  if (problem !== undefined) throw refused([problem], (one) => one);
}

function parsedBy<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = safeParse(schema, value);
  if (!parsed.success) throw refused(refusalsOf(parsed.error), issueOf);
  return parsed.data;
}

/** The body as text. Errors: BODY_TOO_LARGE, BAD_REQUEST where it is not UTF-8. */
export async function readText(request: HttpRequest, maxBytes: number): Promise<string> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  const bytes = await readBytes(request, maxBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new WorkflowError("BAD_REQUEST", "body: expected UTF-8", { cause });
  }
}

/** Counts as it reads: a length that was declared may lie, and at the limit reading stops. */
async function readBytes(request: HttpRequest, maxBytes: number): Promise<Uint8Array> {
  const reader = request.body?.getReader();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  while (reader !== undefined) {
    const part = await nextPart(reader);
    if (part === undefined) break;
    bytes += part.byteLength;
    if (bytes > maxBytes) {
      // Whoever sends without end may never answer; nobody waits for it.
      void reader.cancel().catch(() => undefined);
      throw tooLarge(maxBytes);
    }
    parts.push(part);
  }
  return Buffer.concat(parts, bytes);
}

interface PartReader {
  read(): Promise<{ readonly done: boolean; readonly value?: unknown }>;
}

/** Undefined at the end. BAD_REQUEST for a body that breaks off. */
async function nextPart(reader: PartReader): Promise<Uint8Array | undefined> {
  try {
    const { done, value } = await reader.read();
    if (done) return undefined;
    if (value instanceof Uint8Array) return value;
  } catch (cause) {
    throw new WorkflowError("BAD_REQUEST", "body: broke off before its end", { cause });
  }
  throw new WorkflowError("BAD_REQUEST", "body: expected bytes");
}

function tooLarge(maxBytes: number): WorkflowError {
  return new WorkflowError("BODY_TOO_LARGE", `body: more than ${maxBytes} bytes`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const where = cause instanceof Error ? cause.message.slice(0, 200) : "";
    const got = utf8Bytes(text) === 0 ? "an empty body" : `something else (${where})`;
    throw new WorkflowError("BAD_REQUEST", `body: expected JSON, got ${got}`, { cause });
  }
}

/** The query parameters that `schema` has, and no others. BAD_REQUEST with its issues. */
export function readQuery<Shape extends z.ZodRawShape>(
  request: HttpRequest,
  schema: z.ZodObject<Shape, z.core.$strict>,
): z.output<z.ZodObject<Shape, z.core.$strict>> {
  const names = Object.keys(schema.shape);
  // Where a parameter stands twice the host hands both over as one text.
  const { searchParams } = new URL(request.url);
  const twice = names.filter((name) => searchParams.getAll(name).length > 1);
  if (twice.length > 0) {
    const message = "this query parameter stands twice; which of the two is meant?";
    throw refused(twice, (name) => ({ message, pointer: pointerOf([name]) }));
  }
  const given = Object.fromEntries(request.query.entries());
  // The host's own: a function key may come so.
  delete given["code"];
  const parsed = safeParse(schema, given);
  if (parsed.success) return parsed.data;
  throw refused(refusalsOf(parsed.error), ({ issue, key }) => {
    if (key === undefined) return issueOf({ issue });
    const takes = names.length === 0 ? "this route takes none" : `expected ${listNames(names)}`;
    const message = `unknown query parameter ${shown(key)}: ${takes}`;
    return { message, pointer: pointerOf([key]), ...didYouMean(key, names) };
  });
}

/** BAD_REQUEST with the first issues; the message counts all that were found. */
export function refused<Found>(
  found: readonly Found[],
  toIssue: (one: Found) => Issue,
): WorkflowError {
  const issues = firstIssues(found, toIssue);
  const first = issues[0];
  const place = first?.pointer === undefined || first.pointer === "" ? "" : `${first.pointer}: `;
  const more = found.length > 1 ? ` (and ${found.length - 1} more)` : "";
  const message = `the request is not valid: ${place}${first?.message ?? ""}${more}`;
  return new WorkflowError("BAD_REQUEST", message, { issues });
}

/** One thing that a schema refused; of many unknown names one. */
interface Refusal {
  readonly issue: z.core.$ZodIssue;
  readonly key?: string;
}

function refusalsOf(error: z.ZodError): readonly Refusal[] {
  return error.issues.flatMap((issue): readonly Refusal[] =>
    issue.code === "unrecognized_keys" ? issue.keys.map((key) => ({ issue, key })) : [{ issue }],
  );
}

function issueOf({ issue, key }: Refusal): Issue {
  const pointer = pointerOf(key === undefined ? issue.path : [...issue.path, key]);
  if (key !== undefined) return { message: `unknown field ${shown(key)}`, pointer };
  if (issue.code === "invalid_type") return { message: typeProblem(issue.message), pointer };
  return { message: issue.message, pointer };
}

/** "expected string, got nothing": what a client sees as missing is not called undefined. */
function typeProblem(message: string): string {
  return message
    .replace("Invalid input: ", "")
    .replace("received undefined", "got nothing")
    .replace("received", "got");
}
