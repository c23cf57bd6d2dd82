import type { Followed } from "../../src/client/mod.ts";
import type { GatewayEvent } from "../../src/contract/events.ts";
import { EXIT } from "../exit.ts";
import { connect } from "../management.ts";
import type { Output, Style } from "../output.ts";
import { listed, type ListingOptions, show } from "../show.ts";
import { tail } from "../tail.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";
import { visibleCopy } from "../text.ts";

interface EventsRequest extends TargetRequest {
  readonly options: TargetOptions & Pick<ListingOptions, "filter" | "limit"> & {
    readonly after?: string;
  };
}

/** Prints the events that are kept. */
export async function listEvents(request: EventsRequest): Promise<number> {
  const { output, options } = request;
  const connection = await connect(request);
  const answer = await listed({ connection, route: "events", options, after: options.after });
  const { lost = 0 } = answer;
  if (!output.isJson && lost > 0) output.note(`${lost} older events are not kept any more`);
  show({ output, route: "events", answer }, ({ items }) => items.map((e) => eventLine(e, output)));
  if (!output.isJson && answer.items.length === 0) output.note("no events");
  return EXIT.done;
}

/** Prints events as they happen. */
export function tailEvents(request: EventsRequest): Promise<number> {
  const { output, options: { filter, after } } = request;
  return tail({
    request,
    route: "eventStream",
    filter,
    after,
    print: (entry) => printEntry(entry, output),
  });
}

function printEntry(entry: Followed<GatewayEvent>, output: Output): void {
  if (entry.kind === "event") {
    if (output.isJson) output.jsonLine("event", entry.data);
    else output.line(eventLine(visibleCopy(entry.data), output));
    return;
  }
  const { kind: _kind, ...gap } = entry;
  if (output.isJson) return output.jsonLine("gap", gap);
  const count = gap.lost === undefined ? "events" : `${gap.lost} events`;
  output.line(output.paint("warning", `⋯ gap: ${count} are not kept any more`));
}

const STYLES: Readonly<Record<GatewayEvent["severity"], Style | undefined>> = {
  debug: "faint",
  info: undefined,
  warn: "warning",
  error: "error",
};

/** `2026-11-20 14:01:58Z warn  backend.failed  backend=github reason="…"  #88412`. */
function eventLine({ at, severity, event, fields, cursor }: GatewayEvent, output: Output): string {
  const { paint } = output;
  const style = STYLES[severity];
  const word = severity.padEnd(5);
  const known = Object.entries(fields).map(([name, value]) => `${name}=${valueText(value)}`);
  return [
    paint("faint", at.replace("T", " ").replace(/\.\d+/, "")),
    style === undefined ? word : paint(style, word),
    event.padEnd(24),
    ...known,
    paint("faint", `#${cursor}`),
  ].join(" ").trimEnd();
}

/** Words stand as they are; what has spaces or structure is JSON. */
function valueText(value: unknown): string {
  return typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
