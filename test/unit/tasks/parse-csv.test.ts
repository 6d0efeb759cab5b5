// parse_csv: rows, columns, types, and every bad row with its line.
import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { parseCsv } from "../../../src/tasks/parse-csv.ts";
import { runTask, taskFailure, taskOutput } from "../../support/run-task.ts";

interface Parsed {
  readonly columns: readonly string[];
  readonly rows: readonly JsonObject[];
  readonly count: number;
  readonly errors: readonly { readonly line: number; readonly message: string }[];
  readonly error_count: number;
}

async function parse(text: string, params: JsonObject = {}): Promise<Parsed> {
  return (await taskOutput(parseCsv, { text, ...params })) as unknown as Parsed;
}

async function rowsOf(text: string, params: JsonObject = {}): Promise<readonly Json[]> {
  const { rows, errors } = await parse(text, params);
  expect(errors).toEqual([]);
  return rows;
}

async function refusal(text: string, params: JsonObject = {}): Promise<string> {
  const { code, message, retryable } = await taskFailure(parseCsv, { text, ...params });
  expect({ code, retryable }).toEqual({ code: "PARAMS_INVALID", retryable: false });
  return message;
}

test("rows are objects by the header's names", async () => {
  expect(await parse("name,n\na,1\nb,2\n")).toEqual({
    columns: ["name", "n"],
    rows: [{ name: "a", n: "1" }, { name: "b", n: "2" }],
    count: 2,
    errors: [],
    error_count: 0,
  });
});

const readings: readonly [name: string, text: string, rows: Json[]][] = [
  ["no line break at the end", "a,b\n1,2", [{ a: "1", b: "2" }]],
  ["Windows line breaks", "a,b\r\n1,2\r\n3,4\r\n", [{ a: "1", b: "2" }, { a: "3", b: "4" }]],
  ["old Mac line breaks", "a,b\r1,2\r", [{ a: "1", b: "2" }]],
  ["a byte order mark", "\ufeffa,b\n1,2\n", [{ a: "1", b: "2" }]],
  ["mixed line breaks", "a,b\n1,2\r\n3,4\r5,6", [
    { a: "1", b: "2" },
    { a: "3", b: "4" },
    { a: "5", b: "6" },
  ]],
  ["empty lines", "\n\na,b\n\n1,2\n\n\n", [{ a: "1", b: "2" }]],
  ["a delimiter in quotes", 'a,b\n"1,5",2\n', [{ a: "1,5", b: "2" }]],
  ["a quote in quotes", 'a,b\n"say ""hi""",2\n', [{ a: 'say "hi"', b: "2" }]],
  ["a line break in quotes", 'a,b\n"x\ny",2\n', [{ a: "x\ny", b: "2" }]],
  ["empty cells", "a,b\n,\n", [{ a: "", b: "" }]],
  ["spaces, which belong to the cell", "a,b\n 1 , 2\n", [{ a: " 1 ", b: " 2" }]],
  ["a quoted header", '"a b","c"\n1,2\n', [{ "a b": "1", c: "2" }]],
  ["a header only", "a,b\n", []],
  ["characters of four bytes", "a,é\n😀,€\n", [{ a: "😀", é: "€" }]],
];
test.each(readings)("reads %s", async (_name, text, rows) => {
  expect(await rowsOf(text)).toEqual(rows);
});

test("characters survive wherever the text is cut into slices", async () => {
  for (const shift of [0, 1, 2, 3]) {
    const cell = `${"x".repeat(shift)}${"😀".repeat(10_000)}`;
    expect(await rowsOf(`a\n${cell}\nlast\n`)).toEqual([{ a: cell }, { a: "last" }]);
  }
});

test("another delimiter, trimmed cells", async () => {
  const rows = await rowsOf("a; b\n 1 ; x,y \n", { delimiter: ";", trim: true });
  expect(rows).toEqual([{ a: "1", b: "x,y" }]);
  expect(await rowsOf("a\tb\n1\t2\n", { delimiter: "\t" })).toEqual([{ a: "1", b: "2" }]);
  expect(await rowsOf("a€b\n1€2\n", { delimiter: "€" })).toEqual([{ a: "1", b: "2" }]);
});

test.each(["", ";;", '"', "\n", "\r"])("the delimiter %j is refused", async (delimiter) => {
  expect(await refusal("a\n1\n", { delimiter })).toContain("/delimiter");
});

describe("columns", () => {
  test("kept columns come in the order that was asked for", async () => {
    const { columns, rows } = await parse("a,b,c\n1,2,3\n", { columns: ["c", "a"] });
    expect({ columns, rows }).toEqual({ columns: ["c", "a"], rows: [{ c: "3", a: "1" }] });
    expect(Object.keys(rows[0] ?? {})).toEqual(["c", "a"]);
  });

  test("without a header the columns are named by the params, or numbered", async () => {
    const named = { header: false, columns: ["x", "y"] };
    expect(await rowsOf("1,2\n", named)).toEqual([{ x: "1", y: "2" }]);
    expect(await rowsOf("1,2\n", { header: false })).toEqual([{ column_1: "1", column_2: "2" }]);
    expect(await parse("", named)).toMatchObject({ columns: ["x", "y"], rows: [] });
    expect(await parse("", { header: false })).toMatchObject({ columns: [], rows: [] });
  });

  const refused: readonly [string, string, JsonObject, string][] = [
    ["an empty text", "", {}, "no header"],
    ["an empty text of line breaks", "\n\r\n", {}, "no header"],
    ["a column without a name", "a,,c\n", {}, "column 2 has no name"],
    ["two columns of one name", "a,b,a\n", {}, '"a" is there twice'],
    ["a name that reaches a prototype", "a,__proto__\n", {}, '"__proto__"'],
    ["the name constructor", "constructor\n", {}, '"constructor"'],
    ["a wanted column that is not there", "a,b\n", { columns: ["c"] }, 'no column "c"'],
    ["a wanted column asked for twice", "a,b\n", { columns: ["a", "a"] }, "twice"],
    ["a type for a column that is not there", "a\n", { types: { b: "integer" } }, 'no column "b"'],
    ["a type nobody knows", "a\n", { types: { a: "date" } }, "/types/a"],
    ["a header that cannot be read", 'a,x"b\n1,2\n', {}, "line 1"],
    ["a header that never ends", '"a,b\n1,2\n', {}, "a quote is opened"],
    ["too many columns", Array.from({ length: 1001 }, (_, n) => `c${n}`).join(","), {}, "1001"],
  ];
  test.each(refused)("%s is refused", async (_name, ...[text, params, message]) => {
    expect(await refusal(text, params)).toContain(message);
  });
});

describe("types", () => {
  const values: readonly [type: string, cell: string, value: Json | undefined][] = [
    ["string", "", ""],
    ["string", "007", "007"],
    ["integer", "42", 42],
    ["integer", "-7", -7],
    ["integer", "+7", 7],
    ["integer", " 7 ", 7],
    ["integer", "007", 7],
    ["integer", "-0", 0],
    ["integer", "", null],
    ["integer", "  ", null],
    ["integer", "1.0", undefined],
    ["integer", "1e3", undefined],
    ["integer", "0x10", undefined],
    ["integer", "1_000", undefined],
    ["integer", "9007199254740991", 9_007_199_254_740_991],
    ["integer", "9007199254740992", undefined],
    ["number", "1.5", 1.5],
    ["number", ".5", 0.5],
    ["number", "5.", 5],
    ["number", "-1e-3", -0.001],
    ["number", "1E3", 1000],
    ["number", "", null],
    ["number", "1e999", undefined],
    ["number", "Infinity", undefined],
    ["number", "NaN", undefined],
    ["number", "1.2.3", undefined],
    ["number", "0b1", undefined],
    ["number", "1 000", undefined],
    ["boolean", "true", true],
    ["boolean", "FALSE", false],
    ["boolean", "Yes", true],
    ["boolean", "0", false],
    ["boolean", "", null],
    ["boolean", "maybe", undefined],
  ];
  test.each(values)("%s of %j is %j", async (type, cell, value) => {
    const { rows, errors } = await parse(`a,b\n"${cell}",x\n`, { types: { a: type } });
    if (value === undefined) {
      expect(rows).toEqual([]);
      expect(errors).toEqual([{ line: 2, message: `column "a": expected ${type}` }]);
    } else expect(rows).toEqual([{ a: value, b: "x" }]);
  });
});

describe("bad rows", () => {
  test("are listed with the line they begin on, and the others are kept", async () => {
    const text = 'a,n\n"x\r\ny\nz",1\n\n1,2,3\nq\n5,bad\nx"y,1\n6,7\n';
    const parsed = await parse(text, { types: { n: "integer" } });
    expect(parsed.rows).toEqual([{ a: "x\r\ny\nz", n: 1 }, { a: "6", n: 7 }]);
    expect(parsed.errors).toEqual([
      { line: 6, message: "expected 2 cells, got 3" },
      { line: 7, message: "expected 2 cells, got 1" },
      { line: 8, message: 'column "n": expected integer' },
      { line: 9, message: "a quote stands where none may, or is not doubled" },
    ]);
    expect(parsed).toMatchObject({ count: 2, error_count: 4 });
  });

  test("a row's line counts the breaks inside its own quotes", async () => {
    const text = 'a,b\n1,2\n"x\n\n\ny",2,3\n4\n';
    const { errors } = await parse(text);
    expect(errors.map((error) => error.line)).toEqual([3, 7]);
  });

  test("a quote that is never closed is reported where its row begins", async () => {
    const { rows, errors } = await parse('a,b\n1,2\n"3,4\n5,6\n7,8\n');
    expect(rows).toEqual([{ a: "1", b: "2" }]);
    expect(errors).toEqual([{ line: 3, message: "a quote is opened and not closed" }]);
  });

  test("a row after an unreadable one is never lost in silence", async () => {
    const { rows, errors } = await parse('a,b\n1,"x"y\n4,5\n6,7\n');
    expect(rows).toEqual([]);
    expect(errors).toEqual([
      { line: 2, message: "a quote stands where none may, or is not doubled" },
      { line: 3, message: "a quote is opened and not closed" },
    ]);
  });

  test("several problems of one row are one error", async () => {
    const { errors } = await parse("a,b\nx,y\n", { types: { a: "integer", b: "boolean" } });
    expect(errors).toEqual([
      { line: 2, message: 'column "a": expected integer; column "b": expected boolean' },
    ]);
  });

  test("show no cell, which may be anything", async () => {
    const parsed = await parse("a\nSECRET\n", { types: { a: "integer" } });
    expect(JSON.stringify(parsed.errors)).not.toContain("SECRET");
  });

  test("only the first hundred are listed, all are counted", async () => {
    const parsed = await parse(`a,b\n${"1\n".repeat(250)}`);
    expect(parsed.errors).toHaveLength(100);
    expect(parsed.error_count).toBe(250);
  });

  test("fail the whole text when it must be strict", async () => {
    const message = await refusal("a,b\n1,2\n3\n4\n", { strict: true });
    expect(message).toContain("line 3: expected 2 cells, got 1; 1 more bad rows");
    expect(await rowsOf("a,b\n1,2\n", { strict: true })).toHaveLength(1);
  });
});

test("a row of unwanted columns must still be whole", async () => {
  const { errors } = await parse("a,b,c\n1,2\n", { columns: ["a"] });
  expect(errors).toEqual([{ line: 2, message: "expected 3 cells, got 2" }]);
});

test("more rows than allowed are refused, good and bad ones alike", async () => {
  expect(await rowsOf("a\n1\n2\n", { max_rows: 2 })).toHaveLength(2);
  expect(await refusal("a\n1\n2\n3\n", { max_rows: 2 })).toContain("more than 2 rows");
  expect(await refusal("a,b\n1\n2\n3,4\n", { max_rows: 2 })).toContain("more than 2 rows");
});

test("a text over a megabyte is refused before it is parsed", async () => {
  expect(await refusal("€".repeat(350_000))).toContain("/text: expected at most");
});

test("half a million short rows are refused early and do not hold up the process", async () => {
  let turns = 0;
  const count = (): void => {
    turns += 1;
    turning = setImmediate(count);
  };
  let turning = setImmediate(count);
  expect(await refusal("a\n".repeat(500_000))).toContain("more than 10000 rows");
  clearImmediate(turning);
  expect(turns).toBeGreaterThan(1);
});

test("an abort stops the parsing", async () => {
  const controller = new AbortController();
  const text = `a,b\n${"1,2\n".repeat(9_000)}`;
  const outcome = runTask(parseCsv, { text }, { signal: controller.signal });
  controller.abort();
  expect(await outcome).toMatchObject({ kind: "aborted" });
});

test("the log tells numbers, not content", async () => {
  const { log } = await runTask(parseCsv, { text: "a,b\n1,2\n3\n" });
  expect(log).toEqual(['read 1 rows {"errors":1}']);
});
