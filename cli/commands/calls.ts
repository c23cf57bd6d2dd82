import type { Followed } from "../../src/client/mod.ts";
import type { AuditRecord } from "../../src/contract/audit.ts";
import type { CallRecord } from "../../src/contract/manage/mod.ts";
import { suggest } from "../../src/contract/suggest.ts";
import { type AuditSource, withAudit } from "../audit_source.ts";
import { recordLines } from "../call_lines.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Output, Style } from "../output.ts";
import type { ListingOptions } from "../show.ts";
import { tail } from "../tail.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";
import { milliseconds, visible, visibleCopy } from "../text.ts";

interface TailRequest extends TargetRequest {
  readonly options: TargetOptions & Pick<ListingOptions, "filter">;
  readonly terms: readonly string[];
}

/** Prints calls as they end, from now on. */
export function tailCalls(request: TailRequest): Promise<number> {
  const { output, options, terms } = request;
  const filter = [options.filter ?? "", ...terms].filter((term) => term !== "").join(" ");
  return tail({
    request,
    route: "callStream",
    filter: filter === "" ? undefined : filter,
    print: (entry) => printEntry(entry, output),
  });
}

function printEntry(entry: Followed<CallRecord>, output: Output): void {
  if (entry.kind === "event") {
    if (output.isJson) output.jsonLine("call", entry.data);
    else output.line(callLine(visibleCopy(entry.data), output));
    return;
  }
  const { kind: _kind, ...gap } = entry;
  if (output.isJson) return output.jsonLine("gap", gap);
  const count = gap.lost === undefined ? "calls" : `at least ${gap.lost} calls`;
  output.line(output.paint("warning", `⋯ gap: ${count} are missing here; the audit has them`));
}

/** The tool or its caller is at fault, not the gateway. */
const MILD: ReadonlySet<string> = new Set(["tool_error", "cancelled", "rejected"]);

function callLine(call: CallRecord, { paint }: Output): string {
  const style: Style | undefined = call.outcome === "ok"
    ? undefined
    : MILD.has(call.outcome)
    ? "warning"
    : "error";
  const outcome = call.outcome.padEnd(14);
  const who = call.principal?.slice(call.principal.indexOf("#") + 1) ?? "–";
  const what = call.method === "tools/call" && call.name !== undefined
    ? call.name
    : [call.method, call.name].filter((part) => part !== undefined).join(" ");
  return [
    paint("faint", call.at.replace("T", " ").replace(/\.\d+/, "")),
    style === undefined ? outcome : paint(style, outcome),
    `${who} → ${what}`,
    ...(call.backend === undefined ? [] : [`(${call.backend})`]),
    milliseconds(call.durationMs),
    ...(call.error === undefined ? [] : [call.error]),
    paint("faint", call.request),
  ].join(" ");
}

interface ShowRequest extends TargetRequest {
  /** UUIDv7 of the call, or its beginning. */
  readonly id: string;
}

/** Prints what the audit has of one call: intent, outcome, who, decisions, times. */
export async function showCall(request: ShowRequest): Promise<number> {
  const { output, id } = request;
  const record = await withAudit(request, (source) => find(source, id.trim().toLowerCase()));
  if (output.isJson) output.json("call-record", record);
  else for (const line of recordLines(visibleCopy(record), output)) output.line(line);
  return EXIT.done;
}

/** Rows that are looked at for one whose id was mistyped. */
const RECENT = 200;
const MOST_SHOWN = 5;
const WHOLE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const BEGINNING = /^[0-9a-f][0-9a-f-]{3,35}$/;

async function find(source: AuditSource, id: string): Promise<AuditRecord> {
  if (!BEGINNING.test(id)) {
    const hint = "it stands in errors, logs, `calls tail` and `audit search`";
    throw new CommandFailed(EXIT.usage, `"${visible(id)}" is no id of a request`, hint);
  }
  const filter = WHOLE.test(id) ? `request:${id}` : `request:${id}*`;
  const { items } = await source.search({ filter, order: "newest", limit: MOST_SHOWN });
  const [found, ...more] = items;
  if (found === undefined) throw await unknown(source, id);
  const others = more.filter(({ request }) => request !== found.request);
  if (others.length === 0) return items.find(({ kind }) => kind === "call") ?? found;
  const known = [found, ...others].map(({ at, request, name }) =>
    `  ${request}  ${at}  ${visible(name ?? "")}`.trimEnd()
  );
  const message = `several requests begin with ${id}:\n${known.join("\n")}`;
  throw new CommandFailed(EXIT.usage, message, "write the whole id");
}

async function unknown(source: AuditSource, id: string): Promise<CommandFailed> {
  const recent = await source.search({ filter: "", order: "newest", limit: RECENT });
  const near = suggest(id, recent.items.map(({ request }) => request));
  const hint = near === undefined
    ? "a call under way is there when it ends; retention removes old ones:  mcp-sentinel audit search"
    : `did you mean ${near}?`;
  return new CommandFailed(EXIT.failed, `the audit has no request ${id}`, hint);
}
