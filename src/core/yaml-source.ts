// YAML text to plain JSON that remembers where everything stood. YAML 1.2 core, and less of it:
// no anchors, aliases, tags, directives, merge keys or second document, because a reader must see
// at its place what a workflow says. Nothing is rounded, overwritten or dropped silently.
// Duplicate keys are found here, in linear time; the library's own check is quadratic.
import { Composer, isAlias, isMap, isNode, isScalar, Lexer, LineCounter, Parser } from "yaml";
import type { CST, Document, Node, Scalar, YAMLError, YAMLMap, YAMLSeq } from "yaml";
import { invariant, type Issue } from "./error.ts";
import { isForbiddenKey, utf8Bytes, type Json } from "./json.ts";
import { MAX_JSON_DEPTH, MAX_POINTER_CHARS, MAX_SOURCE_BYTES } from "./limits.ts";

/** Where a finding points: at a key, at its value, or at one character of a text. */
export type At = "key" | "value" | number;

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface YamlSource {
  /** What could be read; undefined where that is nothing. */
  readonly value: Json | undefined;
  readonly issues: readonly Issue[];
  /** Pointers of values that an issue names and `value` lacks; what follows from it is no news. */
  readonly refused: ReadonlySet<string>;
  /** The place of a JSON pointer; of its nearest ancestor where it names nothing. */
  readonly place: (pointer: string, at: At) => Place;
}

/** Offsets of a value and of the key (in a list: of the item) that leads to it. */
interface Spot {
  readonly key: number;
  readonly value: number;
  /** A string's text, to find one of its characters again. */
  readonly text?: string;
}

interface Walk {
  readonly issues: Issue[];
  readonly refused: Set<string>;
  readonly spots: Map<string, Spot>;
  readonly lines: LineCounter;
}

interface Step {
  readonly pointer: string;
  readonly depth: number;
  /** Where the key stands; absent in a list and at the top. */
  readonly key?: number;
}

const TAGS = "tags are not allowed";
const NOT_UNICODE = "expected well-formed Unicode, got a lone surrogate";

/** Never throws, whatever the text. */
export function readYaml(source: string): YamlSource {
  const bytes = utf8Bytes(source);
  if (bytes > MAX_SOURCE_BYTES) {
    const message = `the file has ${bytes} bytes, at most ${MAX_SOURCE_BYTES} are allowed`;
    return unread(message, { line: 1, column: 1 });
  }
  const text = source.startsWith("\uFEFF") ? source.slice(1) : source;
  const lines = new LineCounter();
  const tokens = tokensOf(text, lines);
  if (tokens.tooDeep !== undefined) return unread(TOO_DEEP, position(lines, tokens.tooDeep));
  const [document, second] = new Composer(OPTIONS).compose(tokens.list, true, text.length);
  // Even an empty file has a document.
  invariant(document !== undefined, "a text holds a document");
  const walk: Walk = { issues: [], refused: new Set(), spots: new Map(), lines };
  const value = readNode(document.contents, { pointer: "", depth: 0 }, walk);
  checkSyntax(document, text, walk);
  if (second !== undefined) {
    const message = "expected one YAML document, found a second one";
    report(walk, second.range[0], { message });
  }
  return {
    value,
    issues: walk.issues,
    refused: walk.refused,
    place: (pointer, at) => position(lines, offsetOf(walk.spots, text, { pointer, at })),
  };
}

const OPTIONS = {
  version: "1.2",
  schema: "core",
  merge: false,
  intAsBigInt: true,
  stringKeys: true,
  uniqueKeys: false,
  prettyErrors: false,
} as const;

/**
 * More than any text within MAX_JSON_DEPTH opens at once. The library composes by recursion; where
 * the stack ends while Node compiles a regular expression the whole process is aborted, and no
 * thread contains that.
 */
const MAX_OPEN_TOKENS = 3 * MAX_JSON_DEPTH;

interface Tokens {
  readonly list: readonly CST.Token[];
  /** Where it is nested too deep to be composed. */
  readonly tooDeep?: number;
}

function tokensOf(text: string, lines: LineCounter): Tokens {
  const parser = new Parser(lines.addNewLine);
  const list: CST.Token[] = [];
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    list.push(...parser.next(lexeme));
    const open = parser.stack.at(-1);
    if (open !== undefined && parser.stack.length > MAX_OPEN_TOKENS) {
      return { list: [], tooDeep: open.offset };
    }
  }
  list.push(...parser.end());
  return { list };
}

/** A text of which nothing is read. */
function unread(message: string, place: Place): YamlSource {
  return {
    value: undefined,
    issues: [{ message, ...place }],
    refused: new Set([""]),
    place: () => place,
  };
}

/** A child's pointer, escaped as RFC 6901 asks. */
export function childPointer(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function report(walk: Walk, offset: number, finding: Omit<Issue, "line" | "column">): void {
  walk.issues.push({ ...finding, ...position(walk.lines, offset) });
}

function position(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

function checkSyntax(document: Document.Parsed, text: string, walk: Walk): void {
  const told = walk.issues.some((issue) => issue.message.startsWith(TAGS));
  for (const problem of [...document.errors, ...document.warnings]) {
    // A tag is reported where it stands in the tree; the library's word would be the second.
    if (problem.code === "TAG_RESOLVE_FAILED" && told) continue;
    report(walk, problem.pos[0], syntaxFinding(problem, text));
  }
  const { yaml, tags } = document.directives;
  if (yaml.explicit === true || Object.keys(tags).length > 1) {
    report(walk, text.search(/^%/m), { message: "YAML directives are not allowed" });
  }
}

function syntaxFinding(problem: YAMLError, text: string): Pick<Issue, "message" | "hint"> {
  if (problem.code !== "NON_STRING_KEY") return { message: `not valid YAML: ${problem.message}` };
  const hint = 'put quotes around a text that begins with {{: "{{ inputs.name }}"';
  return text.startsWith("{{", problem.pos[0] - 1)
    ? { message: "expected a text, found a map as a key", hint }
    : { message: "expected a text as a key" };
}

const TOO_DEEP = `nested deeper than ${MAX_JSON_DEPTH} levels`;

function readNode(node: unknown, step: Step, walk: Walk): Json | undefined {
  const { pointer } = step;
  // A key without a value, as in `{a, b}`, is a null at the key's place; an empty text begins at 0.
  const offset = isNode(node) ? startOf(node) : (step.key ?? 0);
  walk.spots.set(pointer, { key: step.key ?? offset, value: offset });
  if (!isNode(node)) return null;
  if (isAlias(node)) {
    report(walk, offset, { pointer, message: "aliases are not allowed: repeat the value" });
    return undefined;
  }
  checkProperties(node, pointer, walk);
  if (isScalar(node)) return readScalar(node, step, walk);
  if (step.depth === MAX_JSON_DEPTH) {
    report(walk, offset, { pointer, message: TOO_DEEP });
    return undefined;
  }
  return isMap(node) ? readMap(node, step, walk) : readList(node, step, walk);
}

/** Every node of a parsed document has a range; the type allows for hand-made ones. */
function startOf(node: Node): number {
  return Number(node.range?.[0]);
}

function checkProperties(node: Scalar | YAMLMap | YAMLSeq, pointer: string, walk: Walk): void {
  if (node.anchor !== undefined) {
    const message = `anchors are not allowed, found &${node.anchor}`;
    report(walk, startOf(node), { pointer, message });
  }
  if (node.tag !== undefined) {
    report(walk, startOf(node), { pointer, message: `${TAGS}, found ${node.tag}` });
  }
}

function readScalar(node: Scalar, step: Step, walk: Walk): Json | undefined {
  const { pointer } = step;
  const { value } = node;
  const refuse = (message: string): undefined => {
    report(walk, startOf(node), { pointer, message });
  };
  if (typeof value === "string") {
    const offset = startOf(node);
    walk.spots.set(pointer, { key: step.key ?? offset, value: offset, text: value });
    if (value.isWellFormed()) return value;
    return refuse(NOT_UNICODE);
  }
  if (typeof value === "bigint") {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    return refuse(`the integer ${value} cannot be kept exactly: put quotes around it`);
  }
  if (typeof value === "number") {
    // JSON has no negative zero: a snapshot read back would differ from the one written.
    if (Number.isFinite(value)) return value === 0 ? 0 : value;
    return refuse(`expected a finite number, got ${String(node.source)}`);
  }
  if (value === null || typeof value === "boolean") return value;
  // What only a tag can make, such as !!binary: the tag is refused already.
  return undefined;
}

function readMap(map: YAMLMap, step: Step, walk: Walk): Json {
  const value: Record<string, Json> = {};
  const seen = new Map<string, Place>();
  for (const pair of map.items) {
    // Whatever is no text was reported by the library: `stringKeys`.
    if (!isScalar(pair.key) || typeof pair.key.value !== "string") continue;
    const key = pair.key.value;
    const offset = startOf(pair.key);
    const pointer = childPointer(step.pointer, key);
    checkProperties(pair.key, pointer, walk);
    const before = seen.get(key);
    const problem = keyProblem(pair.key, before) ?? pathProblem(pointer);
    if (problem !== undefined) {
      report(walk, offset, { pointer, message: problem });
      continue;
    }
    seen.set(key, position(walk.lines, offset));
    const child = readNode(pair.value, { pointer, depth: step.depth + 1, key: offset }, walk);
    if (child === undefined) walk.refused.add(pointer);
    else value[key] = child;
  }
  return value;
}

function keyProblem(key: Scalar, before: Place | undefined): string | undefined {
  const name = String(key.value);
  if (isForbiddenKey(name)) return `the key "${name}" is not allowed`;
  if (name === "<<" && key.type === "PLAIN") {
    return "merge keys are not allowed: repeat the members";
  }
  if (!name.isWellFormed()) return NOT_UNICODE;
  if (before === undefined) return undefined;
  return `the key "${name}" is there already, in line ${before.line}`;
}

function pathProblem({ length }: string): string | undefined {
  if (length <= MAX_POINTER_CHARS) return undefined;
  const most = `at most ${MAX_POINTER_CHARS} are allowed`;
  return `the keys that lead here have ${length} characters, ${most}`;
}

function readList(list: YAMLSeq, step: Step, walk: Walk): Json {
  return list.items.map((item, index) => {
    const pointer = childPointer(step.pointer, index);
    const child = readNode(item, { pointer, depth: step.depth + 1 }, walk);
    if (child !== undefined) return child;
    walk.refused.add(pointer);
    return null;
  });
}

interface Target {
  readonly pointer: string;
  readonly at: At;
}

function offsetOf(spots: ReadonlyMap<string, Spot>, text: string, target: Target): number {
  const { pointer, at } = target;
  const spot = spots.get(pointer);
  if (spot === undefined) {
    // The top, "", always has a spot.
    const parent = pointer.slice(0, pointer.lastIndexOf("/"));
    return offsetOf(spots, text, { pointer: parent, at });
  }
  if (typeof at === "string") return spot[at];
  return spot.text === undefined ? spot.value : characterOf(spot.value, spot.text, { text, at });
}

/**
 * The offset of character `at` of a string: exact where the file has the string as it is (plain,
 * quoted without escapes) or line by line (a `|` block); the string's start otherwise.
 */
function characterOf(
  start: number,
  value: string,
  file: { readonly text: string; readonly at: number },
): number {
  if (file.text.startsWith(value, start)) return start + file.at;
  if (file.text.startsWith(value, start + 1)) return start + 1 + file.at;
  if (file.text[start] !== "|") return start;
  const lines = value.slice(0, file.at).split("\n");
  let from = start;
  for (const _ of lines) from = file.text.indexOf("\n", from) + 1;
  const line = String(value.split("\n")[lines.length - 1]);
  return file.text.indexOf(line, from) + String(lines.at(-1)).length;
}
