import type { KillSwitch } from "../../src/contract/manage/mod.ts";
import { globOf } from "../../src/contract/filter/glob.ts";
import { suggest } from "../../src/contract/suggest.ts";
import { age } from "../backend_table.ts";
import { confirm } from "../confirm.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { asFailure, asNamed, connect, type Connection } from "../management.ts";
import { finish } from "../operation.ts";
import { counted } from "../output.ts";
import { listed, type ListingOptions, namesOf, show, tableOf } from "../show.ts";
import type { Column } from "../table.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";
import { visible } from "../text.ts";

/** What a switch is for, as people write it. */
type Kind = "tool" | "backend";
const SCOPES = { tool: "tools", backend: "backends" } as const;

interface ListRequest extends TargetRequest {
  readonly options: TargetOptions & ListingOptions;
}

interface KillRequest extends TargetRequest {
  readonly options: TargetOptions & { readonly yes?: true; readonly reason?: string };
  readonly kind: Kind;
  readonly name: string;
  /** How the person called it; undefined: `kill`. */
  readonly words?: keyof typeof WORDS;
}

interface Words {
  readonly done: string;
  readonly cleared: string;
  readonly set: (kind: Kind, name: string) => string;
  readonly clear: (kind: Kind, name: string) => string;
}

/** One switch under two names: who disables a tool should read of enabling it. */
const WORDS = {
  kill: {
    done: "killed",
    cleared: "cleared",
    set: (kind, name) => `kill ${kind} ${name}`,
    clear: (kind, name) => `kill clear ${kind} ${name}`,
  },
  disable: {
    done: "disabled",
    cleared: "enabled",
    set: (kind, name) => `${SCOPES[kind]} disable ${name}`,
    clear: (kind, name) => `${SCOPES[kind]} enable ${name}`,
  },
} as const satisfies Record<string, Words>;

/** Prints the kill switches that are set. */
export async function listKills(request: ListRequest): Promise<number> {
  const { io, output, options } = request;
  const connection = await connect(request);
  const answer = await listed({ connection, route: "killSwitches", options });
  show({ output, route: "killSwitches", answer }, ({ items }) => {
    const empty = options.filter === undefined ? "no kill switch is set" : "no kill switch matches";
    return tableOf({ output, options, rows: items, empty }, killColumns(io.clock.now()));
  });
  return EXIT.done;
}

/** Refuses calls to a tool, a pattern of tools, or a backend from now on. */
export async function kill(request: KillRequest): Promise<number> {
  const { io, output, options, kind, name } = request;
  const words = WORDS[request.words ?? "kill"];
  const reason = options.reason?.trim() ?? "";
  if (reason === "") {
    const hint = 'add --reason "…"; callers are told, and it is kept in the record';
    throw new CommandFailed(EXIT.usage, "a kill switch needs a reason", hint);
  }
  const connection = await connect(request);
  const { client, target, wait } = connection;
  const what = `${kind} ${visible(name)}`;
  await confirm({ io, options, target, act: `end calls to ${what}`, always: true });
  const names = () => targetNames(kind, connection);
  const answer = await asNamed(
    name,
    names,
    () =>
      client.request("kill", { params: { scope: SCOPES[kind], name }, body: { reason }, ...wait }),
  );
  const code = finish({
    output,
    route: "kill",
    answer,
    done: `${words.done} ${what} on ${target.name}`,
    unchanged: `${what} is ${words.done} already`,
    undo: `mcp-sentinel ${words.clear(kind, quoted(visible(name)))}`,
    lines: ({ matches }) => [`  covers ${counted(matches, kind)} now`],
  });
  if (answer.matches === 0) output.warn(await nothingCovered(name, names));
  return code;
}

/** A switch may be set before its tool is there; more often the name is mistyped. */
async function nothingCovered(name: string, names: () => Promise<string[]>): Promise<string> {
  const near = suggest(name, await asFailure(names));
  const text = `nothing has the name ${visible(name)} now`;
  return near === undefined ? text : `${text}; did you mean ${visible(near)}?`;
}

/** Lets calls through again. */
export async function clearKill(request: KillRequest): Promise<number> {
  const { io, output, options, kind, name } = request;
  const words = WORDS[request.words ?? "kill"];
  const connection = await connect(request);
  const { client, target, wait } = connection;
  const what = `${kind} ${visible(name)}`;
  const before = await switchNow(request, connection);
  await confirm({ io, options, target, act: `let calls to ${what} through`, always: true });
  const names = () => namesOf(client.all("killSwitches"));
  const answer = await asNamed(
    name,
    names,
    () => client.request("clearKill", { params: { scope: SCOPES[kind], name }, ...wait }),
  );
  const reason = quoted(visible(before?.reason ?? "…"));
  return finish({
    output,
    route: "clearKill",
    answer,
    done: `${words.cleared} ${what} on ${target.name}`,
    unchanged: `${what} is not ${words.done}`,
    undo: `mcp-sentinel ${words.set(kind, quoted(visible(name)))} --reason ${reason}`,
    lines: ({ matches }) => [`  calls to ${counted(matches, kind)} go through again`],
  });
}

/**
 * The switch that is about to be cleared, for its reason.
 * @throws CommandFailed when only a pattern covers the name: another switch, for more than was asked for
 */
async function switchNow(
  { kind, name }: KillRequest,
  connection: Connection,
): Promise<KillSwitch | undefined> {
  const { items } = await listed({ connection, route: "killSwitches", options: {} });
  const set = items.filter(({ scope }) => scope === SCOPES[kind]);
  const own = set.find((one) => one.name === name);
  const pattern = set.find((one) => kind === "tool" && globOf(one.name)(name));
  if (own !== undefined || pattern === undefined) return own;
  const covering = visible(pattern.name);
  const message = `no switch is set for ${kind} ${visible(name)} itself; "${covering}" covers it`;
  const hint = `mcp-sentinel kill clear ${kind} ${quoted(covering)}  lets all it covers through`;
  throw new CommandFailed(EXIT.failed, message, hint);
}

/** What a switch could be for. */
function targetNames(kind: Kind, { client }: Connection): Promise<string[]> {
  return kind === "backend"
    ? namesOf(client.all("backends"))
    : namesOf(client.all("capabilities", { query: { filter: "kind:tool" } }));
}

/** As a shell reads it. */
function quoted(text: string): string {
  return /^[\w.:/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function killColumns(now: number): readonly Column<KillSwitch>[] {
  return [
    { title: "KIND", text: ({ scope }) => scope === "tools" ? "tool" : "backend" },
    { title: "NAME", text: ({ name }) => name },
    { title: "COVERS", text: ({ matches }) => String(matches), right: true },
    { title: "SET BY", text: ({ by }) => by },
    { title: "SINCE", text: ({ since }) => age(since, now), right: true },
    { title: "FROM", text: ({ from }) => from },
    { title: "REASON", text: ({ reason }) => reason, cut: true },
  ];
}
