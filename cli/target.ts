/** Which gateway a command talks to. */
import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import process from "node:process";
import type { LocalGateway } from "../src/contract/local_gateway.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { stateFolder } from "./folders.ts";
import type { Io } from "./io.ts";
import { readLocalGateways } from "./local_gateways.ts";
import { counted, type GlobalOptions, type Output } from "./output.ts";
import {
  currentProfile,
  type Profile,
  type ProfileFile,
  profileNames,
  profileOf,
  readProfiles,
  referenceIn,
} from "./profiles.ts";
import type { TlsFiles } from "./tls_fetch.ts";
import { checkedUrl } from "./url.ts";

/** Options of the commands that talk to a gateway. */
export interface TargetOptions extends GlobalOptions {
  readonly managementHost?: string;
  readonly managementPort?: string;
  /** Variable that holds the token. */
  readonly managementTokenEnv?: string;
  /** Our certificate and its key, and whom to trust. */
  readonly managementTlsCert?: string;
  readonly managementTlsKey?: string;
  readonly managementMtlsCa?: string;
}

export interface Target {
  /** What people call it. */
  readonly name: string;
  /** Origin of its management API. */
  readonly url: string;
  readonly token: string | undefined;
  readonly tls: TlsFiles;
  /** Changes ask for its name. */
  readonly production: boolean;
}

export interface TargetRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: TargetOptions;
}

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = "8809";
const LARGEST_TOKEN = 64 * 1024;
const OTHERS_MAY_READ = 0o007;

/**
 * The profile that was named, else the address of the options, else the chosen profile, else the only
 * gateway on this machine.
 * @throws CommandFailed when that is none, or its token cannot be had
 */
export async function findTarget(request: TargetRequest): Promise<Target> {
  const { io, output, options } = request;
  if (options.profile !== undefined) {
    if (hasAddress(options)) output.warn("--profile wins over the --management options");
    return await profileTarget(await readProfiles(io), options.profile, request);
  }
  if (hasAddress(options)) return addressTarget(request);
  const file = await readProfiles(io);
  const current = currentProfile(file);
  if (current !== undefined) return await profileTarget(file, current, request);
  const found = readLocalGateways(stateFolder(io));
  const [only, ...more] = found;
  if (only === undefined || more.length > 0) throw noTarget(found, file);
  return localTarget(only);
}

/** The gateway of a profile, with its token. */
export async function profileTarget(
  file: ProfileFile,
  name: string,
  { io, output }: TargetRequest,
): Promise<Target> {
  const profile = profileOf(file, name);
  const { url, production } = profile;
  const token = await tokenOf(profile, { io, output, folder: dirname(file.path) });
  return { name, url, token, tls: filesOf(profile), production };
}

function hasAddress(options: TargetOptions): boolean {
  return Object.entries(options).some(([name, value]) =>
    name.startsWith("management") && value !== undefined
  );
}

function addressTarget({ io, options }: TargetRequest): Target {
  const { managementTokenEnv, managementTlsCert, managementTlsKey, managementMtlsCa } = options;
  const path = (file: string) => resolve(io.cwd, file);
  const tls = filesOf({
    ...(managementMtlsCa === undefined ? {} : { ca: path(managementMtlsCa) }),
    ...(managementTlsCert === undefined ? {} : { cert: path(managementTlsCert) }),
    ...(managementTlsKey === undefined ? {} : { key: path(managementTlsKey) }),
  });
  const url = checkedUrl(addressOf(options, Object.keys(tls).length > 0));
  const token = managementTokenEnv === undefined
    ? localToken(url, io)
    : variable(io, managementTokenEnv);
  return { name: new URL(url).host, url, token, tls, production: false };
}

/** A scheme in front of the host wins; else any TLS option means https. */
function addressOf({ managementHost, managementPort }: TargetOptions, tls: boolean): string {
  const host = managementHost ?? DEFAULT_HOST;
  const [, scheme = tls ? "https" : "http", name = host] = /^(https?):\/\/(.+)$/.exec(host) ?? [];
  const bracketed = name.includes(":") && !name.startsWith("[") ? `[${name}]` : name;
  return `${scheme}://${bracketed}:${managementPort ?? DEFAULT_PORT}`;
}

/** A gateway of this user that listens there has told its token. */
function localToken(url: string, io: Io): string | undefined {
  const found = readLocalGateways(stateFolder(io));
  return found.find(({ management }) => new URL(management).origin === url)?.token;
}

function localTarget({ name, management, token }: LocalGateway): Target {
  return { name, url: new URL(management).origin, token, tls: {}, production: false };
}

function filesOf({ ca, cert, key }: TlsFiles): TlsFiles {
  if ((cert === undefined) !== (key === undefined)) {
    const missing = cert === undefined ? "certificate" : "key";
    throw new CommandFailed(EXIT.usage, `the client ${missing} is missing`, "give both or none");
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
}

interface TokenPlace {
  readonly io: Io;
  readonly output: Output;
  /** Relative paths count from here. */
  readonly folder: string;
}

async function tokenOf(profile: Profile, place: TokenPlace): Promise<string | undefined> {
  const reference = referenceIn(profile.token ?? "");
  if (reference === undefined) return undefined;
  return reference.kind === "env"
    ? variable(place.io, reference.name)
    : await tokenFile(resolve(place.folder, reference.name), place.output);
}

function variable({ env }: Io, name: string): string {
  const value = env[name]?.trim() ?? "";
  if (value !== "") return value;
  const message = `the token is to be in the variable ${name}, which is not set`;
  throw new CommandFailed(EXIT.unauthorized, message, `export ${name}=…`);
}

/** The token in a file. @throws CommandFailed when there is none */
export async function tokenFile(path: string, output: Output): Promise<string> {
  try {
    const { mode, size } = await stat(path);
    if (process.platform !== "win32" && (mode & OTHERS_MAY_READ) !== 0) {
      output.warn(`others may read the token in ${path}: chmod 600 ${path}`);
    }
    if (size > LARGEST_TOKEN) throw new Error("it is larger than 64 KiB");
    const text = (await readFile(path, "utf8")).trim();
    if (text !== "") return text;
    throw new Error("it is empty");
  } catch (thrown) {
    const message = `cannot read the token in "${path}": ${(thrown as Error).message}`;
    throw new CommandFailed(EXIT.unauthorized, message);
  }
}

/** Says what there is to choose from. */
function noTarget(found: readonly LocalGateway[], file: ProfileFile): CommandFailed {
  const names = profileNames(file);
  const known = names.length === 0
    ? "mcp-sentinel profile add NAME --url URL  for one elsewhere"
    : `-p NAME for a profile: ${names.join(", ")}`;
  if (found.length === 0) {
    const hint = `mcp-sentinel up  starts one,  ${known}`;
    return new CommandFailed(EXIT.unreachable, "no gateway of yours runs on this machine", hint);
  }
  const rows = found.map(({ name, management, config }) =>
    `  --management-port ${new URL(management).port}   ${name}${
      config === undefined ? "" : `  ${config}`
    }`
  );
  const message = `${counted(found.length, "gateway")} run on this machine; which one?\n` +
    rows.join("\n");
  return new CommandFailed(EXIT.unreachable, message, known);
}
