// Numbers of the expression language: JSON numbers, finite and within +-(2^53 - 1) once computed.
// Texts become numbers by one hand-written form, whatever the platform would also accept.
import type { Json } from "../json.ts";
import type { ArithmeticOperator } from "./ast.ts";
import { charge, type ExpressionError, failure, textSteps } from "./frame.ts";
import { digitsEnd, isDigit, numberEnd } from "./token.ts";
import { aKind, type Place } from "./value.ts";

/** A computed number, or an error where it is not finite or an integer that may be rounded. */
export function checkedNumber(value: number, place: Place): number {
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value === 0 ? 0 : value;
  throw numberFailure(place, "the result is no number within 2^53 - 1");
}

export function calculate(
  operator: Exclude<ArithmeticOperator, "+">,
  [left, right]: readonly [number, number],
  place: Place,
): number {
  switch (operator) {
    case "-":
      return checkedNumber(left - right, place);
    case "*":
      return checkedNumber(left * right, place);
    case "/":
      if (right === 0) throw numberFailure(place, "division by zero");
      return checkedNumber(left / right, place);
    case "%":
      if (!Number.isSafeInteger(left) || !Number.isSafeInteger(right)) {
        throw numberFailure(place, "% takes integers within 2^53 - 1");
      }
      if (right === 0) throw numberFailure(place, "division by zero");
      return checkedNumber(left % right, place);
  }
}

/** int(x): a number is cut towards zero, a text must be a whole decimal number. */
export function toInt(value: Json, place: Place): number {
  if (typeof value === "number") return checkedNumber(Math.trunc(value), place);
  return fromText(value, { name: "int", end: digitsEnd, place });
}

/** double(x): a text must be a decimal number, such as 12, -1.5 or 1e3. */
export function toDouble(value: Json, place: Place): number {
  if (typeof value === "number") return checkedNumber(value, place);
  return fromText(value, { name: "double", end: numberEnd, place });
}

interface Reading {
  readonly name: string;
  readonly end: (text: string, from: number) => number;
  readonly place: Place;
}

/** No number needs more; keeps the cost of a reading within a bound. */
const MAX_NUMBER_CHARS = 400;

function fromText(value: Json, { name, end, place }: Reading): number {
  if (typeof value !== "string") {
    const message = `${name} takes a number or a string, got ${aKind(value)}`;
    throw failure(place.frame, { reason: "type", message, offset: place.offset });
  }
  const from = value.startsWith("-") ? 1 : 0;
  const isShort = value.length <= MAX_NUMBER_CHARS;
  // Hundreds of digits take the platform a hundred times longer than ten.
  if (isShort) charge(place.frame, Math.max(0, textSteps(value.length) - 1), place.offset);
  const isNumber =
    isShort &&
    isDigit(value.charAt(from)) &&
    end(value, from) === value.length;
  if (!isNumber) throw numberFailure(place, `${name} got a string that is no such number`);
  return checkedNumber(Number(value), place);
}

function numberFailure({ frame, offset }: Place, message: string): ExpressionError {
  return failure(frame, { reason: "number", message, offset });
}
