/** The audit, as far as its store has it. */
import type { AuditAccess, Control } from "../../core/mod.ts";
import { SentinelError } from "../../contract/mod.ts";
import type { StoredRow } from "../../ports/audit.ts";
import { readStore, searchAudit, searchAuditRun } from "../audit/search.ts";
import type { Context, Handlers } from "../handler.ts";
import { pageOf } from "../paging.ts";

const CURRENT = "current";

export function auditHandlers(
  { control, clock }: Context,
): Pick<Handlers, "audit" | "auditRuns" | "auditRun"> {
  return {
    audit: async ({ query: { after, limit, filter, order = "newest" } }) => {
      const { reader } = accessOf(control);
      const page = await searchAudit(reader, clock, { filter, order, after, limit });
      return { ...page, items: records(page.items), revision: control.revision };
    },
    auditRuns: async ({ query: { after, limit } }) => {
      const { reader, run } = accessOf(control);
      const items = await readStore(() => reader.runs());
      const keyOf = ({ instance }: { readonly instance: string }) => instance;
      const page = pageOf({ items, keyOf, after, limit, matches: () => true });
      return { ...page, current: run, revision: control.revision };
    },
    auditRun: async ({ params, query: { after = "0", limit, filter } }) => {
      const { reader, run } = accessOf(control);
      const instance = params.instance === CURRENT ? run : params.instance;
      const asked = { instance, filter, after: Number(after), limit };
      const page = await searchAuditRun(reader, clock, asked);
      return { instance, ...page, items: records(page.items), revision: control.revision };
    },
  };
}

/** @throws SentinelError OPERATION_DISABLED */
function accessOf(control: Control): AuditAccess {
  const access = control.audit();
  if (access !== undefined) return access;
  const { store } = control.status().audit;
  const reason = store === "off"
    ? "nothing is recorded: audit.store is off, or there is no folder to keep it in"
    : `rows that went to ${store} cannot be read back`;
  throw new SentinelError("OPERATION_DISABLED", "Cannot read the audit", { reason });
}

function records(rows: readonly StoredRow[]) {
  return rows.map(({ record }) => record);
}
