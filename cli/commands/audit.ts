import { type AuditFilterOptions, filterText } from "../audit_filter.ts";
import { withAudit } from "../audit_source.ts";
import { AUDIT_COLUMNS } from "../audit_table.ts";
import { EXIT } from "../exit.ts";
import { type ListingOptions, tableOf } from "../show.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";
import { visibleCopy } from "../text.ts";

/** Rows without `--limit`. */
const DEFAULT_LIMIT = 100;

interface SearchRequest extends TargetRequest {
  readonly options: TargetOptions & ListingOptions & AuditFilterOptions & {
    readonly order?: "newest" | "oldest";
  };
  readonly terms: readonly string[];
}

/** Prints the rows that match, newest first. */
export async function searchAudit(request: SearchRequest): Promise<number> {
  const { output, options, terms } = request;
  const { limit = DEFAULT_LIMIT, order = "newest" } = options;
  const filter = filterText(options, terms);
  const { items, isMore } = await withAudit(
    request,
    (source) => source.search({ filter, order, limit }),
  );
  if (output.isJson) {
    output.json("audit-list", { items });
  } else {
    const empty = filter === "" ? "no rows" : "no row matches";
    const rows = visibleCopy(items);
    for (const line of tableOf({ output, options, rows, empty }, AUDIT_COLUMNS)) output.line(line);
  }
  if (isMore) output.note(`there is more; --limit ${limit * 10} shows it, audit export all of it`);
  return EXIT.done;
}
