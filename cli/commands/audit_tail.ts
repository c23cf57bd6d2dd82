import type { AuditRecord } from "../../src/contract/audit.ts";
import { type AuditFilterOptions, filterText } from "../audit_filter.ts";
import { type AuditSource, withAudit } from "../audit_source.ts";
import { auditLine } from "../audit_table.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { type Interruption, interruption } from "../interruption.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";
import { visibleCopy } from "../text.ts";

/** Between two looks for new rows. */
const LOOK_MS = 1000;
/** Between two looks whether a gateway that has gone is back. */
const AWAY_MS = 2000;

interface TailRequest extends TargetRequest {
  readonly options: TargetOptions & AuditFilterOptions;
  readonly terms: readonly string[];
}

/** Prints rows as they come, until Ctrl-C or until nobody reads stdout any more. */
export async function tailAudit(request: TailRequest): Promise<number> {
  const { io, options, terms } = request;
  const stop = interruption(io);
  try {
    await withAudit(request, (source) => follow(request, source, filterText(options, terms), stop));
    return stop.signal.aborted ? EXIT.interrupted : EXIT.done;
  } finally {
    stop.end();
  }
}

async function follow(
  { io, output }: TailRequest,
  source: AuditSource,
  filter: string,
  stop: Interruption,
): Promise<void> {
  const news = source.follow(filter);
  await news();
  output.note(`following ${source.name}`);
  const print = (row: AuditRecord) => {
    if (output.isJson) output.jsonLine("audit", row);
    else output.line(auditLine(visibleCopy(row), output));
  };
  let isAway = false;
  while (!stop.signal.aborted && io.out.isOpen) {
    const rows = await unlessAway(news);
    if (rows === undefined) {
      if (!isAway) output.note(`${source.name} does not answer; waiting until it is back`);
      isAway = true;
      await stop.rest(AWAY_MS);
      await unlessAway(() => source.reopen());
      continue;
    }
    if (isAway) output.note(`${source.name} is back`);
    isAway = false;
    for (const row of rows) print(row);
    await io.out.drained();
    if (rows.length === 0) await stop.rest(LOOK_MS);
  }
}

/** Undefined while there is no gateway. */
async function unlessAway<Value>(work: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof CommandFailed && thrown.code === EXIT.unreachable) return undefined;
    throw thrown;
  }
}
