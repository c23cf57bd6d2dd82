import { type AuditFilterOptions, filterText } from "../audit_filter.ts";
import { withAudit } from "../audit_source.ts";
import { EXIT } from "../exit.ts";
import { interruption } from "../interruption.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";
import { visibleJson } from "../text.ts";

interface ExportRequest extends TargetRequest {
  readonly options: TargetOptions & AuditFilterOptions & { readonly all?: true };
}

/**
 * Prints rows as NDJSON, oldest first, calls only unless `--all`; no more of them in memory than a page.
 * A line is the row itself, without a name of its schema, so that its hash can be recomputed.
 */
export async function exportAudit(request: ExportRequest): Promise<number> {
  const { io, output, options } = request;
  const filter = filterText(options, options.all === true ? [] : ["kind:call"]);
  const stop = interruption(io);
  try {
    return await withAudit(request, async (source) => {
      for await (const page of source.each(filter)) {
        for (const { record } of page) output.line(visibleJson(record));
        await io.out.drained();
        if (stop.signal.aborted) return EXIT.interrupted;
        if (!io.out.isOpen) break;
      }
      return EXIT.done;
    });
  } finally {
    stop.end();
  }
}
