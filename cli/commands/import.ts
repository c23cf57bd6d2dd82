import { placesOf } from "../clients/places.ts";
import type { ClientName, Places } from "../clients/clients.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { checkWhole, usable } from "../import/check.ts";
import type { Found } from "../import/found.ts";
import { findForge, findServers, tomlOf } from "../import/mod.ts";
import { clientPlaces, shortened } from "../import/sources.ts";
import { printSummary, summaryOf } from "../import/summary.ts";
import { namesIn, readTarget, type Target } from "../import/target.ts";
import { type Added, configText, writeAll, type Written } from "../import/write.ts";
import { tableAt, textAt } from "../../src/config/raw.ts";
import type { Io } from "../io.ts";
import { counted, type GlobalOptions, type Output } from "../output.ts";
import { orExitCode } from "../start.ts";

interface ImportOptions extends GlobalOptions {
  readonly from?: string;
  readonly workspace?: string;
  readonly write?: true;
}

interface ImportRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: ImportOptions;
  /** Files in place of those of the clients; `-` is stdin. */
  readonly files: readonly string[];
}

/** Reads the files of clients, shows what they become, and with `--write` adds it to the configuration. */
export async function importServers(request: ImportRequest): Promise<number> {
  const { output, io, options } = request;
  const code = await orExitCode(output, async () => {
    const target = await readTarget(io, options.config);
    const all = await look(request, target);
    const variables = new Map([...target.known, ...all.secrets]);
    const found = await usable(all, { io, variables });
    if (isNothing(found)) return nothing(found, request, target);
    const text = configText(target, tomlOf(found));
    await checkWhole(text, target.config.shown, { io, variables });
    return await finish({ ...request, target, found, text });
  });
  return code;
}

/** Finds servers, after asking for the folder that variables stand for where a person can say it. */
async function look(request: ImportRequest, target: Target): Promise<Found> {
  const { io, options } = request;
  const places = placesOf(io);
  const read = once(io.input);
  const find = (workspace: string | undefined) =>
    options.from === "contextforge"
      ? findForge(places, { ...common(request, target), input: read, ...ofConfig(target) })
      : findServers(places, {
        ...common(request, target),
        input: read,
        only: options.from as ClientName | undefined,
        workspace,
        ownUrls: target.ownUrls,
      });
  const found = await find(options.workspace);
  const isOpen = options.workspace === undefined &&
    found.notes.some(({ code }) => code === "workspace");
  if (!isOpen || io.ask === undefined || options.json) return found;
  const answer = await io.ask(`Folder for \${workspaceFolder} [${io.cwd}]: `);
  return await find(answer.trim() || io.cwd);
}

function common({ io, options, files }: ImportRequest, { table, known }: Target) {
  if (options.from === "contextforge" && files.length === 0) {
    const hint =
      "mcpgateway export --out export.json,  then  import --from contextforge export.json";
    throw new CommandFailed(EXIT.usage, "--from contextforge needs the file of an export", hint);
  }
  return { files, env: io.env, known, backends: tableAt(table, "backends") };
}

function ofConfig(target: Target) {
  const separator = textAt(target.table, "catalog", "separator");
  return { separator, toolsets: namesIn(target, "toolsets") };
}

function once(input: Io["input"]): Io["input"] {
  let text: Promise<string> | undefined;
  return (largest) => text ??= input(largest);
}

function isNothing({ servers, toolsets }: Found): boolean {
  return servers.length === 0 && toolsets.length === 0;
}

/** Nothing to write: a success when all of it is there already. */
function nothing(
  found: Found,
  { io, output, options, files }: ImportRequest,
  target: Target,
): number {
  const file = target.config.shown;
  const isFailure = found.present.length === 0 || hasUnreadable(found, files);
  if (output.isJson) {
    output.json("import", { file, written: false, ...summaryOf(found) });
  } else {
    printSummary(found, output);
    if (found.present.length > 0) {
      const verb = found.present.length === 1 ? "is" : "are";
      output.note(
        `nothing new: ${counted(found.present.length, "server")} ${verb} in ${file} already`,
      );
    } else {
      output.error("there are no servers to import", whereToLook(placesOf(io), options, files));
    }
  }
  return isFailure ? EXIT.failed : EXIT.done;
}

function whereToLook(places: Places, { from }: ImportOptions, files: readonly string[]): string {
  if (files.length > 0) return "mcp-sentinel import --help";
  const known = clientPlaces(places).filter(({ client }) => from === undefined || client === from);
  const names = [...new Set(known.map(({ file }) => shortened(file, places)))];
  return `name a file:  mcp-sentinel import FILE    looked for\n    ${names.join("\n    ")}`;
}

/** Files that were named must be readable; those of clients may be anything. */
function hasUnreadable({ places }: Found, files: readonly string[]): boolean {
  return files.length > 0 && places.some(({ problem }) => problem !== undefined);
}

interface Result extends ImportRequest {
  readonly target: Target;
  readonly found: Found;
  /** The configuration with what is added. */
  readonly text: string;
}

async function finish({ output, options, files, target, found, text }: Result): Promise<number> {
  const code = hasUnreadable(found, files) ? EXIT.failed : EXIT.done;
  const { config, known } = target;
  const toml = tomlOf(found);
  const secrets = new Map([...found.secrets].filter(([name]) => !known.has(name)));
  const written = options.write ? await writeAll(target, text, secrets) : undefined;
  if (output.isJson) {
    output.json("import", {
      file: config.shown,
      written: options.write === true,
      toml,
      ...summaryOf(found),
    });
    return code;
  }
  if (written === undefined) {
    output.line(toml.trimEnd());
    printSummary(found, output);
    output.note(`${wouldWrite(found, target, text)}. Run again with --write.`);
  } else {
    printSummary(found, output);
    printWritten(found, written, output);
  }
  return code;
}

function wouldWrite(found: Found, { config }: Target, text: string): string {
  const lines = text.split("\n").length - (config.text ?? "").split("\n").length;
  return `would write ${whatOf(found)} to ${config.shown} (+${lines} lines)`;
}

function whatOf({ servers, toolsets }: Found): string {
  const parts = [
    ...(servers.length > 0 ? [counted(servers.length, "backend")] : []),
    ...(toolsets.length > 0 ? [counted(toolsets.length, "toolset")] : []),
  ];
  return parts.join(" and ");
}

function printWritten(found: Found, written: Written, output: Output): void {
  if (output.isQuiet) return;
  const { config, secrets, ignored, count } = written;
  output.line(`wrote ${whatOf(found)} to ${output.paint("strong", config.file)}`);
  if (secrets !== undefined) {
    output.line(`wrote ${counted(count, "credential")} to ${secrets.file}, readable for you only`);
  }
  if (ignored !== undefined) output.line(`${ignored} names it now, so that git leaves it out`);
  output.line(`  undo: ${undo(secrets === undefined ? [config] : [config, secrets])}`);
  output.line("  next: mcp-sentinel validate,  then  mcp-sentinel server");
}

function undo(files: readonly Added[]): string {
  const made = files.filter(({ isNew }) => isNew).map(({ file }) => file);
  const grown = files.filter(({ isNew }) => !isNew)
    .map(({ file, from, to }) => `remove lines ${from} to ${to} of ${file}`);
  return [...made.length === 0 ? [] : [`rm ${made.join(" ")}`], ...grown].join(", ");
}
