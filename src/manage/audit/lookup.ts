/** What of a filter the store of the audit can look up; the rest is judged row by row. */
import type { AuditRecord } from "../../contract/audit.ts";
import type { Filter } from "../../contract/filter.ts";
import type { AuditQuery } from "../../ports/audit.ts";

type Equals = NonNullable<AuditQuery["equals"]>;
type Lookup = Pick<AuditQuery, "from" | "to" | "equals">;

/** Field of the filter = member of a row that has an index. */
const MEMBERS: Readonly<Record<string, keyof Equals>> = {
  kind: "kind",
  request: "request",
  user: "principal",
  principal: "principal",
  name: "name",
  tool: "name",
  backend: "backend",
  outcome: "outcome",
  status: "outcome",
  session: "session",
};

/** Every row that matches the filter is found by this; not every row that is found matches. */
export function lookupOf({ conditions }: Filter<AuditRecord>): Lookup {
  const from: number[] = [];
  const to: number[] = [];
  const equals: Partial<Record<keyof Equals, readonly string[]>> = {};
  for (const condition of conditions) {
    if (condition.kind === "words") {
      const member = MEMBERS[condition.field];
      // No row has the outcome `error`: it stands for many.
      const isMany = condition.field === "status" && condition.words.includes("error");
      if (member !== undefined && !isMany) equals[member] ??= condition.words;
    } else (condition.kind === "since" ? from : to).push(condition.at);
  }
  return {
    ...(from.length === 0 ? {} : { from: Math.max(...from) }),
    ...(to.length === 0 ? {} : { to: Math.min(...to) }),
    ...(Object.keys(equals).length === 0 ? {} : { equals }),
  };
}
