/** One row of the audit with everything it says, for people. */
import type { AuditRecord } from "../src/contract/audit.ts";
import { columns, type Output } from "./output.ts";
import { section } from "./show.ts";
import { milliseconds } from "./text.ts";

type Row = readonly [string, string | undefined];

/** The parts of a call in the order they came about; what is not known is left out. */
export function recordLines(row: AuditRecord, { paint }: Output): string[] {
  const what = [row.method ?? row.kind, row.name].filter((part) => part !== undefined).join(" ");
  return [
    paint("strong", row.request),
    ...known([["what", what], ["when", timesOf(row)], ["outcome", outcomeOf(row)]]),
    ...group(paint("faint", "WHO"), [
      ["principal", row.principal],
      ["roles", row.roles?.join(", ")],
      ["client", row.client],
      ["address", row.address],
      ["session", row.session],
      ["came by", cameBy(row)],
    ]),
    ...group(paint("faint", "WHERE TO"), [
      ["backend", row.backend],
      ["protocol", row.backendProtocol],
      ["bridged", row.bridge],
      ["took", row.backendMs === undefined ? undefined : milliseconds(row.backendMs)],
      ["definition", row.definition],
    ]),
    ...section(paint("faint", "DECISIONS"), row.decisions ?? []),
    ...data(paint("faint", "ARGUMENTS"), row.arguments, row.requestBytes),
    ...data(paint("faint", "RESULT"), row.result, row.resultBytes),
    ...data(paint("faint", "DETAILS"), row.details, undefined),
    ...group(paint("faint", "RECORD"), [
      ["row", `${row.sequence} of run ${row.instance}`],
      ["revision", `${row.revision}${row.config === undefined ? "" : `, ${row.config}`}`],
      ["trace", row.trace],
      ["hash", row.hash],
    ]),
  ];
}

function known(rows: readonly Row[]): string[] {
  return columns(rows.filter((row): row is [string, string] => row[1] !== undefined));
}

function group(heading: string, rows: readonly Row[]): readonly string[] {
  const lines = known(rows);
  return lines.length === 0 ? [] : ["", heading, ...lines];
}

function timesOf({ at, durationMs }: AuditRecord): string {
  if (durationMs === undefined) return `${at}, until when is not known`;
  return `${at}, for ${milliseconds(durationMs)}`;
}

/** A call that was cut off has an intent and no outcome: that is worth saying in words. */
function outcomeOf({ outcome, error, reason, executed, rounds }: AuditRecord): string {
  return [
    outcome,
    ...(error === undefined ? [] : [error]),
    ...(reason === undefined ? [] : [reason]),
    ...(outcome === "unknown" ? ["only its intent was recorded: the gateway was killed"] : []),
    ...(executed === undefined ? [] : [executed === "no" ? "not executed" : "perhaps executed"]),
    ...(rounds === undefined ? [] : [`asked back ${rounds} times`]),
  ].join(" · ");
}

function cameBy({ transport, protocol, era }: AuditRecord): string | undefined {
  const parts = [transport, protocol && `revision ${protocol}`, era && `${era} era`];
  const told = parts.filter((part) => part !== undefined && part !== "");
  return told.length === 0 ? undefined : told.join(", ");
}

/** What is kept of arguments and results is a matter of the configuration. */
function data(heading: string, value: unknown, bytes: number | undefined): readonly string[] {
  if (value === undefined && bytes === undefined) return [];
  const size = bytes === undefined ? [] : [`${bytes} bytes`];
  if (value === undefined) return section(heading, [...size, "not kept"]);
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return section(heading, [...size, ...text.split("\n")]);
}
