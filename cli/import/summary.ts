/** What an import says: for people on stderr, for programs as JSON. */
import type { CliOutput } from "../../src/contract/cli_outputs.ts";
import { counted, type Output } from "../output.ts";
import { fitted, widthOf } from "../text.ts";
import type { Found, ImportNote, ReadPlace } from "./found.ts";

/** Notes whose text the lines above them say already. */
const SAID: readonly ImportNote["code"][] = ["unreadable"];
const WIDEST_NAMES = 60;

/** A line for each file, then what there is to know. */
export function printSummary(found: Found, output: Output): void {
  const read = found.places.filter(({ problem }) => problem === undefined);
  const rows = read.map((place) => [labelOf(place), namesOf(place), countOf(place)] as const);
  const wide = widest(rows.map(([label]) => label));
  const names = Math.min(WIDEST_NAMES, widest(rows.map(([, text]) => text)));
  for (const [label, text, count] of rows) {
    output.note(`${padded(label, wide)}   ${padded(text, names)}   ${count}`.trimEnd());
  }
  for (const { file, problem } of found.places) {
    if (problem === undefined) continue;
    const place = /^\d+:\d+: /.test(problem) ? `${file}:${problem}` : `${file}: ${problem}`;
    output.warn(place);
  }
  const notes = found.notes.filter(({ code }) => !SAID.includes(code));
  const about = Math.min(24, widest(notes.map((note) => note.about)));
  for (const note of notes) {
    output.note(
      `${output.paintError("faint", "note")}   ${padded(note.about, about)}   ${note.text}`,
    );
  }
}

/** The same for programs. */
export function summaryOf(
  found: Found,
): Pick<CliOutput<"import">, "items" | "files" | "notes" | "variables" | "toolsets"> {
  return {
    items: [
      ...found.servers.map(({ name, backend, sources, needs }) => ({
        name,
        status: "new" as const,
        kind: "url" in backend ? "url" as const : "command" as const,
        sources: sources.map(plainSource),
        needs,
      })),
      ...found.present.map(({ name, sources }) => ({
        name,
        status: "present" as const,
        sources: sources.map(plainSource),
        needs: [],
      })),
    ],
    toolsets: found.toolsets.map(({ name, tools }) => ({ name, tools })),
    files: found.places.map(({ file, client, servers, problem }) => ({
      file,
      ...(client === undefined ? {} : { client }),
      servers: servers.map(({ name }) => name),
      ...(problem === undefined ? {} : { problem }),
    })),
    notes: found.notes.map(({ code, about, text }) => ({ code, about, text })),
    variables: [...found.secrets.keys()],
  };
}

function plainSource({ client, file, name }: Found["present"][number]["sources"][number]) {
  return { file, name, ...(client === undefined ? {} : { client }) };
}

function labelOf({ client, file }: ReadPlace): string {
  return client ?? file;
}

function namesOf({ servers }: ReadPlace): string {
  return servers.map(({ name, isNew }) => isNew ? name : `${name} (same)`).join(", ");
}

function countOf({ servers }: ReadPlace): string {
  const fresh = servers.filter(({ isNew }) => isNew).length;
  return fresh === servers.length ? counted(fresh, "server") : `${fresh} new`;
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(widthOf));
}

function padded(text: string, width: number): string {
  return fitted(text, width) + " ".repeat(Math.max(0, width - widthOf(text)));
}
