import { resolve } from "node:path";
import type { ClientName, Places } from "../clients/clients.ts";
import { placesOf } from "../clients/places.ts";
import { readBackups } from "../connect/backups.ts";
import {
  CLIENT_NAMES,
  clientNamed,
  clientsWithFiles,
  type Scope,
  titleOf,
} from "../connect/client_places.ts";
import { CONNECT, type GatewayLink } from "../connect/entries.ts";
import { findGateway, type GatewayOptions, type GatewayUrl } from "../connect/gateway_url.ts";
import { adviceFor } from "../connect/print.ts";
import { behindGateway } from "../connect/replace.ts";
import { printAdvice, remark, undoneLines, writtenLines } from "../connect/report.ts";
import { undo, type Undone } from "../connect/undo.ts";
import { writeClient, type Written } from "../connect/write.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Io } from "../io.ts";
import type { Output } from "../output.ts";
import { programOf } from "../self.ts";
import { orExitCode } from "../start.ts";
import { visible } from "../text.ts";

const ENTRY_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const TOKEN = "SENTINEL_TOKEN";

interface ConnectOptions extends GatewayOptions {
  readonly name: string;
  readonly all?: true;
  readonly print?: true;
  readonly write?: true;
  readonly link?: true;
  readonly undo?: true;
  readonly replace?: true;
  readonly project?: true;
  readonly user?: true;
  readonly tokenEnv?: string;
  readonly tokenFile?: string;
}

interface ConnectRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: ConnectOptions;
  /** As typed; undefined with `--all`. */
  readonly client: string | undefined;
}

/** Points clients at a gateway: says how, does it, or takes it back. */
export async function connectClients(request: ConnectRequest): Promise<number> {
  const { io, options } = request;
  const places = placesOf(io);
  const clients = clientsOf(request, places);
  if (options.undo === true) return await takeBack(clients, request);
  checkWords(options);
  const gateway = await findGateway(request);
  const link = linkOf(gateway, request);
  if (options.write === true) return await write(clients, { ...request, places, gateway, link });
  if (options.link === true) return printLinks(clients, { ...request, places, gateway, link });
  return print(clients, { ...request, places, gateway, link });
}

interface LinkedRequest extends ConnectRequest {
  readonly places: Places;
  readonly gateway: GatewayUrl;
  readonly link: GatewayLink;
}

function clientsOf({ client, options }: ConnectRequest, places: Places): readonly ClientName[] {
  if (client !== undefined && options.all !== true) return [clientNamed(client)];
  if (client !== undefined || options.all !== true) {
    const hint = `mcp-sentinel connect ${CLIENT_NAMES.join(" | ")}`;
    const message = client === undefined ? "which client?" : "either a client or --all";
    throw new CommandFailed(EXIT.usage, message, hint);
  }
  if (options.undo === true) return CLIENT_NAMES;
  const found = clientsWithFiles(places, scopeOf(options));
  if (found.length > 0) return found;
  const hint = `there can be ${CLIENT_NAMES.map(titleOf).join(", ")}`;
  throw new CommandFailed(EXIT.failed, "no file of a client was found", hint);
}

function scopeOf({ project, user }: ConnectOptions): Scope | undefined {
  if (project === true) return "project";
  return user === true ? "user" : undefined;
}

/** @throws CommandFailed for what cannot be written into a client's file */
function checkWords({ name, tokenEnv }: ConnectOptions): void {
  if (!ENTRY_NAME.test(name)) {
    const hint = "use letters, digits, hyphen and underscore, at most 64";
    throw new CommandFailed(EXIT.usage, `"${visible(name)}" is no name for a server`, hint);
  }
  if (tokenEnv !== undefined && !VARIABLE.test(tokenEnv)) {
    const hint = "give the name, not the token: clients read the variable themselves";
    throw new CommandFailed(EXIT.usage, "--token-env is no name of a variable", hint);
  }
}

function linkOf({ url, signIn }: GatewayUrl, { io, options }: ConnectRequest): GatewayLink {
  const { name, tokenEnv, tokenFile: file } = options;
  const { command, args } = programOf();
  const variable = tokenEnv === undefined || tokenEnv === TOKEN ? [] : ["--token-env", tokenEnv];
  const token = file === undefined ? variable : ["--token-file", resolve(io.cwd, file)];
  return {
    name,
    url,
    token: tokenEnv ?? (signIn ? TOKEN : undefined),
    program: { command, args: [...args, "stdio", "--url", url, ...token] },
  };
}

function print(clients: readonly ClientName[], request: LinkedRequest): number {
  const { output, options, link } = request;
  const items = clients.map((client) => adviceFor(client, { ...request, scope: scopeOf(options) }));
  if (output.isJson) {
    const { name, url, token } = link;
    output.json("connect-advice", { name, url, ...(token === undefined ? {} : { token }), items });
    return EXIT.done;
  }
  for (const item of items) printAdvice(item, output);
  remark(clients, request);
  const [only = "--all"] = clients.length === 1 ? clients : [];
  output.note(`do it:  mcp-sentinel connect ${only} --write      --undo takes it back`);
  return EXIT.done;
}

function printLinks(clients: readonly ClientName[], request: LinkedRequest): number {
  const { output, link } = request;
  const items = clients.flatMap((client) => {
    const install = CONNECT[client].link?.(link);
    return install === undefined ? [] : [{ client, link: install }];
  });
  const [client] = clients;
  if (items.length === 0 && client !== undefined) {
    const message = `${titleOf(client)} has no install link`;
    throw new CommandFailed(EXIT.failed, message, `mcp-sentinel connect ${client} --write`);
  }
  if (output.isJson) output.json("connect-links", { items });
  else for (const item of items) output.line(item.link);
  remark(clients, request);
  return EXIT.done;
}

async function write(clients: readonly ClientName[], request: LinkedRequest): Promise<number> {
  const { output, options } = request;
  const scope = scopeOf(options);
  const onlyExisting = options.all === true || options.replace === true;
  const behind = await orExitCode(
    output,
    async () => options.replace === true ? await behindGateway(clients, request) : undefined,
  );
  if (typeof behind === "number") return behind;
  const items: Written[] = [];
  const failures: CommandFailed[] = [];
  for (const client of clients) {
    const work = writeClient(client, { ...request, scope, onlyExisting, behind });
    const written = await orFailure(work, clients.length > 1);
    if (written instanceof CommandFailed) failures.push(written);
    else items.push(...written);
  }
  report(items, request);
  return codeAfter(failures, output);
}

function report(items: readonly Written[], request: LinkedRequest): void {
  const { output, link } = request;
  if (output.isJson) {
    const { name, url, token } = link;
    output.json("connect", { name, url, ...(token === undefined ? {} : { token }), items });
    return;
  }
  for (const item of items) for (const line of writtenLines(item, link)) output.line(line);
  remark(items.map(({ client }) => client), request);
  const changed = items.filter(({ result, moved }) => result !== "unchanged" || moved.length > 0);
  for (const client of new Set(changed.map((item) => item.client))) {
    output.note(`next:  ${CONNECT[client].next}`);
    output.note(`undo:  mcp-sentinel connect ${client} --undo`);
  }
}

async function takeBack(clients: readonly ClientName[], request: ConnectRequest): Promise<number> {
  const { io, output, options } = request;
  const backups = (await readBackups(io)).filter(({ client }) => clients.includes(client));
  const [only] = clients;
  if (backups.length === 0) {
    const who = options.all === true || only === undefined ? "no client" : titleOf(only);
    const message = `nothing to take back: ${who} was not connected with --write`;
    throw new CommandFailed(EXIT.failed, message);
  }
  const items: Undone[] = [];
  const failures: CommandFailed[] = [];
  for (const backup of backups) {
    const undone = await orFailure(undo(backup, io), backups.length > 1);
    if (undone instanceof CommandFailed) failures.push(undone);
    else items.push(undone);
  }
  if (output.isJson) output.json("connect-undo", { items: items.map(undoneJson) });
  else for (const item of items) for (const line of undoneLines(item)) output.line(line);
  return codeAfter(failures, output);
}

/** Where there is more to do, a failure is told at the end, and the rest is done. */
async function orFailure<Done>(
  work: Promise<Done>,
  goesOn: boolean,
): Promise<Done | CommandFailed> {
  return await work.catch((thrown: unknown) => {
    if (goesOn && thrown instanceof CommandFailed) return thrown;
    throw thrown;
  });
}

function codeAfter(failures: readonly CommandFailed[], output: Output): number {
  for (const { message, hint } of failures) output.error(message, hint);
  return failures.length === 0 ? EXIT.done : EXIT.failed;
}

function undoneJson({ copy, ...item }: Undone) {
  return { ...item, ...(copy === undefined ? {} : { copy }) };
}
