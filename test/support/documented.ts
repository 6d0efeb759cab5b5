// Holds an answer against the table of operations: a status that is described, a body with the
// members that its schema has and no others. What it finds is told as a text, for a test to fail
// with.
import type { Operation } from "../../src/api/operation.ts";
import { COMMON_ERRORS } from "../../src/api/operation.ts";
import { OPERATIONS } from "../../src/api/operations.ts";
import { problem } from "../../src/api/shapes.ts";
import { STATUS } from "../../src/api/status.ts";

export interface Given {
  readonly status: number;
  /** Lower-case names. */
  readonly type: string;
  readonly text: string;
}

export function operationNamed(name: string): Operation | undefined {
  return OPERATIONS.find((one) => one.name === name);
}

/** The operation of a path below `/api/v1`, its query left out. */
export function operationAt(method: string, path: string): Operation | undefined {
  const bare = path.split("?")[0] ?? "";
  const fitting = OPERATIONS.filter(
    (one) => one.method === method.toLowerCase() && templateOf(one).test(bare),
  );
  return fitting.find(({ path: template }) => !template.includes("{")) ?? fitting[0];
}

function templateOf({ path }: Operation): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
}

/** What the document does not say of this answer, or undefined. */
export function undocumented(operation: Operation, given: Given): string | undefined {
  const { name, answers, errors, auth } = operation;
  const { status, type, text } = given;
  const where = `${name} ${status}`;
  const good = answers[status];
  if (type.startsWith("application/problem+json")) {
    const parsed = problem.safeParse(JSON.parse(text));
    if (!parsed.success) return `${where}: ${parsed.error.message}`;
    const { code } = parsed.data;
    const common = auth === "anonymous" ? ["INTERNAL"] : COMMON_ERRORS;
    if (![...errors, ...common].includes(code)) return `${where}: ${code} is not described`;
    return STATUS[code] === status ? undefined : `${where}: ${code} has another status`;
  }
  // The host asks for the key before the app is asked.
  if (good === undefined && status === 401 && text === "") return undefined;
  if (good === undefined) return `${where}: this status is not described`;
  if (good.schema === undefined) return undefined;
  const parsed = good.schema.safeParse(JSON.parse(text));
  return parsed.success ? undefined : `${where}: ${parsed.error.message}`;
}
