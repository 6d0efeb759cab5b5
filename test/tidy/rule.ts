// What a rule of the tidy test is: a check over files, and samples that prove that it fires.
// A rule that examined nothing fails, so that a moved folder cannot switch it off.
import type { Source } from "./source.ts";

export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

export interface Finding {
  /** How many files, lines or names were looked at. */
  readonly examined: number;
  readonly problems: readonly Problem[];
}

/** Files by path, as a tiny project. */
export type Sample = Readonly<Record<string, string>>;

export interface Rule {
  readonly name: string;
  readonly check: (project: readonly Source[]) => Finding;
  /** Each must give at least one problem. */
  readonly bad: readonly Sample[];
  /** Each must be examined and give none. */
  readonly good: readonly Sample[];
}

/** A check that looks at each file that `covers` accepts, by itself. */
export function eachFile(
  covers: (path: string) => boolean,
  inspect: (source: Source) => readonly (readonly [line: number, message: string])[],
): Rule["check"] {
  return (project) => {
    const files = project.filter((source) => covers(source.path));
    const problems = files.flatMap((source) =>
      inspect(source).map(([line, message]) => ({ path: source.path, line, message })),
    );
    return { examined: files.length, problems };
  };
}

/** The engines of recorded releases are built, not written. */
const BUILT = /^test\/fixtures\/releases\//;

export const isCode = (path: string): boolean =>
  (/^(src|test|build|bench)\/.*\.(tsx?|mjs)$/.test(path) && !BUILT.test(path)) ||
  /^[^/]+\.ts$/.test(path);

export const isSource = (path: string): boolean => /^src\/.*\.tsx?$/.test(path);

export const isTest = (path: string): boolean => /^test\/.*\.ts$/.test(path);
