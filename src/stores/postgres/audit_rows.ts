/** How rows are written: one statement however many there are. */
import { auditColumns } from "../../contract/audit_columns.ts";
import type { DeliveredRow } from "../../ports/audit.ts";

/** Columns in the order of the statement, with their types. */
const COLUMNS = {
  instance: "text",
  sequence: "bigint",
  at: "timestamptz",
  kind: "text",
  request: "text",
  principal: "text",
  name: "text",
  backend: "text",
  method: "text",
  outcome: "text",
  session: "text",
  hash: "text",
  row: "text",
} as const;
const NAMES = Object.keys(COLUMNS) as readonly (keyof typeof COLUMNS)[];

/** Rows that are there already are left as they are. */
export const INSERT = `insert into sentinel_audit (${NAMES.join(", ")})
  select * from unnest(${
  NAMES.map((name, index) => `$${index + 1}::${COLUMNS[name]}[]`).join(", ")
})
  on conflict do nothing`;

/** The parameters of `INSERT`: an array for each column. */
export function valuesOf(rows: readonly DeliveredRow[]): readonly unknown[] {
  const found = rows.map(({ row, text, hash }) => {
    const columns = auditColumns(row);
    return { ...columns, at: new Date(columns.at).toISOString(), hash, row: text };
  });
  return NAMES.map((name) => found.map((row) => row[name]));
}
