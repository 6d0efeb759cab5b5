// What build/workbook.mjs offers to tests.

/** The text of infra/monitor/holdfast.workbook.json. */
export function workbook(): string;
