// The KQL parser of Azure Data Explorer's own editor, with the tables that a workspace of
// Application Insights has. It is made for browsers and wants a global scope, so it gets one.
// Schemas: Azure Monitor Logs reference, the App* tables; columns that queries here may use.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { createContext, runInContext } from "node:vm";

const REQUEST = [
  "Id: string, Name: string, Success: bool, ResultCode: string, DurationMs: real",
  "Url: string, Source: string",
];
const TABLES = {
  AppRequests: REQUEST,
  AppDependencies: [REQUEST[0], "Target: string, DependencyType: string, Data: string"],
  AppTraces: ["Message: string, SeverityLevel: int"],
  AppMetrics: ["Name: string, Sum: real, Min: real, Max: real"],
  AppExceptions: [
    "ExceptionType: string, OuterMessage: string, SeverityLevel: int, ProblemId: string",
  ],
} as const;
const COMMON = [
  "TimeGenerated: datetime, OperationId: string, OperationName: string, ParentId: string",
  "AppRoleName: string, AppRoleInstance: string, Properties: dynamic, Measurements: dynamic",
  "ItemCount: int, _ResourceId: string, Type: string",
];

/** As much of the library as is used. */
interface List<T> {
  readonly Count: number;
  getItem(index: number): T;
}
interface Analyzed {
  GetDiagnostics(): List<{ readonly Message: string; readonly Start: number }>;
  readonly ResultType: { readonly Columns?: List<{ readonly Name: string }> } | null;
}
interface Globals {
  WithDatabase(database: object): Globals;
}
interface Library {
  readonly Language: {
    readonly KustoCode: { ParseAndAnalyze(text: string, globals: Globals): Analyzed };
    readonly GlobalState: { readonly Default: Globals };
    readonly Symbols: {
      readonly TableSymbol: {
        readonly $ctor7: new (name: string, schema: string, description: null) => object;
      };
      readonly DatabaseSymbol: {
        readonly $ctor1: new (name: string, tables: readonly object[]) => object;
      };
    };
  };
}

export interface Analysis {
  readonly problems: readonly string[];
  /** Names of the columns of the answer. */
  readonly columns: readonly string[];
}

/** Loading takes most of a second. */
export function kusto(): (query: string) => Analysis {
  const { Language } = library();
  const { TableSymbol, DatabaseSymbol } = Language.Symbols;
  const tables = Object.entries(TABLES).map(
    ([name, columns]) =>
      new TableSymbol.$ctor7(name, `(${[...columns, ...COMMON].join(", ")})`, null),
  );
  const database = new DatabaseSymbol.$ctor1("workspace", tables);
  const globals = Language.GlobalState.Default.WithDatabase(database);
  return (query) => {
    const code = Language.KustoCode.ParseAndAnalyze(query, globals);
    const { Columns } = code.ResultType ?? {};
    return {
      problems: arrayOf(code.GetDiagnostics()).map(
        ({ Message, Start }) => `line ${query.slice(0, Start).split("\n").length}: ${Message}`,
      ),
      columns: Columns === undefined ? [] : arrayOf(Columns).map(({ Name }) => Name),
    };
  };
}

function library(): Library {
  const require = createRequire(import.meta.url);
  const folder = path.dirname(require.resolve("@kusto/language-service-next/package.json"));
  const scope = createContext({ console });
  for (const file of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
    runInContext(readFileSync(path.join(folder, file), "utf8"), scope, { filename: file });
  }
  return runInContext("Kusto", scope) as Library;
}

function arrayOf<T>(list: List<T>): readonly T[] {
  return Array.from({ length: list.Count }, (_, index) => list.getItem(index));
}
