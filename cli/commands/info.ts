import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import type { CliOutput } from "../../src/contract/cli_outputs.ts";
import { findConfig, searchPath } from "../config_file.ts";
import { EXIT } from "../exit.ts";
import { configFolder, stateFolder } from "../folders.ts";
import type { Io } from "../io.ts";
import { readLocalGateways } from "../local_gateways.ts";
import { VARIABLES } from "../man/facts.ts";
import { columns, type GlobalOptions, type Output } from "../output.ts";
import { visibleCopy } from "../text.ts";
import { runtimeName, VERSION } from "../version.ts";

interface InfoRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: GlobalOptions;
}

type Info = CliOutput<"info">;
type Place = Info["places"][number];

/** Prints where every file of this user is, and what runs. Reads no file and starts nothing. */
export async function info({ io, output, options }: InfoRequest): Promise<number> {
  const found: Info = {
    version: VERSION,
    runtime: runtimeName(),
    platform: `${process.platform} ${process.arch}`,
    executable: process.execPath,
    locale: localeText(),
    places: await placesOf(io, options),
    variables: VARIABLES.filter(({ name }) => (io.env[name] ?? "") !== ""),
    gateways: readLocalGateways(stateFolder(io)).map(shownGateway),
  };
  if (output.isJson) output.json("info", found);
  else print(visibleCopy(found), output);
  return EXIT.done;
}

async function placesOf(io: Io, options: GlobalOptions): Promise<readonly Place[]> {
  const config = await findConfig(io, options.config);
  const path = config === undefined ? undefined : resolve(io.cwd, config);
  const state = stateFolder(io);
  const own = path === undefined ? undefined : await gatewayFolder(state, path);
  const [first = ""] = searchPath(io);
  const places: Omit<Place, "exists">[] = [
    { name: "config", path: path ?? first, about: "the configuration; `config path` says more" },
    {
      name: "profiles",
      path: join(configFolder(io), "profiles.toml"),
      about: "gateways by name, with references to their tokens",
    },
    { name: "state", path: state, about: "what gateways of this user keep" },
    {
      name: "gateways",
      path: join(state, "gateways"),
      about: "a record of each that runs, with its token, and a folder for each configuration",
    },
    ...(own === undefined ? [] : gatewayPlaces(own)),
  ];
  return places.map((place) => ({ ...place, exists: existsSync(place.path) }));
}

/** What a gateway of this configuration keeps; it logs to stderr, so there is no file of a log. */
function gatewayPlaces(folder: string): Omit<Place, "exists">[] {
  const about = {
    "journal.ndjson": "what operators did, and who was turned away",
    "state.sqlite": "kill switches, pinned definitions, the event log",
    audit: "the journal of the audit: rows that its store does not have yet",
    "audit.sqlite": 'rows of the audit, with audit.store = "sqlite"',
    "sessions.sqlite": 'sessions, with sessions.store = "sqlite"',
  };
  const inside = Object.entries(about).map(([name, text]) => ({
    name: name.replace(/\.\w+$/, (ending) => ending === ".sqlite" ? " database" : ""),
    path: join(folder, name),
    about: text,
  }));
  return [{ name: "folder", path: folder, about: "of this configuration" }, ...inside];
}

async function gatewayFolder(stateDir: string, config: string): Promise<string | undefined> {
  const { findGatewayFolder } = await import("../../src/hosts/state_folder.ts");
  return findGatewayFolder(stateDir, config);
}

function shownGateway(
  { name, pid, management, endpoint, config }: ReturnType<typeof readLocalGateways>[number],
): Info["gateways"][number] {
  return {
    name,
    pid,
    management,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(config === undefined ? {} : { config }),
  };
}

/** Decided once: output is for people and scripts alike, so nothing of it depends on the machine. */
function localeText(): string {
  const { locale, timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return `${locale}, ${timeZone}; output is English, times are UTC`;
}

function print(found: Info, output: Output): void {
  const { version, runtime, platform, executable, locale, places, variables, gateways } = found;
  output.line(output.paint("strong", `mcp-sentinel ${version}`));
  const facts = [["runtime", `${runtime}, ${platform}`], ["executable", executable], [
    "locale",
    locale,
  ]] as const;
  for (const row of columns(facts)) output.line(row);
  const files = places.map(({ name, path, exists, about }) =>
    [name, `${path}${exists ? "" : "   (not there)"}   ${output.paint("faint", about)}`] as const
  );
  heading("FILES", columns(files), output);
  heading("VARIABLES", columns(variables.map(({ name, about }) => [name, about])), output);
  const running = gateways.map(({ name, pid, management, config }) =>
    [name, `pid ${pid}, ${management}${config === undefined ? "" : `, ${config}`}`] as const
  );
  heading("GATEWAYS ON THIS MACHINE", running.length === 0 ? ["  none"] : columns(running), output);
}

function heading(title: string, lines: readonly string[], output: Output): void {
  if (lines.length === 0) return;
  output.line("");
  output.line(output.paint("faint", title));
  for (const line of lines) output.line(line);
}
