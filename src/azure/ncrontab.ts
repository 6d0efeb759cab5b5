// The six NCRONTAB fields of a timer, held against their ranges before the Functions host has them:
// a schedule that the host cannot read would leave an app without its sweeper.
// Says which field is wrong and what it may be, never what stands there.

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Words for the numbers from `min` on, whole or by their first three letters. */
  readonly words: readonly string[];
}

const MONTHS =
  "january february march april may june july august september october november december";
const DAYS = "sunday monday tuesday wednesday thursday friday saturday";

const FIELDS: readonly Field[] = [
  { name: "second", min: 0, max: 59, words: [] },
  { name: "minute", min: 0, max: 59, words: [] },
  { name: "hour", min: 0, max: 23, words: [] },
  { name: "day of the month", min: 1, max: 31, words: [] },
  { name: "month", min: 1, max: 12, words: MONTHS.split(" ") },
  { name: "day of the week", min: 0, max: 6, words: DAYS.split(" ") },
];

/** What keeps `text` from being a schedule, or undefined. */
export function ncrontabProblem(text: string): string | undefined {
  const parts = text.trim().split(/ +/);
  if (parts.length !== FIELDS.length) {
    return "expected six NCRONTAB fields, such as 0 * * * * *";
  }
  const wrong = FIELDS.find((field, index) => !isField(parts[index] ?? "", field));
  if (wrong === undefined) return undefined;
  const { name, min, max, words } = wrong;
  const or = words.length === 0 ? "" : `, or ${words[0]?.slice(0, 3)} and the like`;
  const place = `field ${FIELDS.indexOf(wrong) + 1}, the ${name}`;
  return `${place}: expected * or ${min} to ${max}${or}; lists, ranges and steps of these`;
}

function isField(text: string, field: Field): boolean {
  return text.split(",").every((item) => isItem(item, field));
}

/** `*`, a value or a range, each with a step or without. */
function isItem(item: string, field: Field): boolean {
  const [range = "", step, ...more] = item.split("/");
  if (more.length > 0 || (step !== undefined && !isStep(step, field))) return false;
  if (range === "*") return true;
  const [from = "", to = from, ...rest] = range.split("-");
  const [first, last] = [valueOf(from, field), valueOf(to, field)];
  return rest.length === 0 && first !== undefined && last !== undefined && first <= last;
}

function isStep(text: string, { min, max }: Field): boolean {
  return /^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= max - min + 1;
}

function valueOf(text: string, { min, max, words }: Field): number | undefined {
  const word = text.toLowerCase();
  const index = words.findIndex((one) => one === word || one.slice(0, 3) === word);
  if (index >= 0) return min + index;
  if (!/^\d{1,2}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}
