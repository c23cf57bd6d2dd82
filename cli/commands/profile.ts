import { resolve } from "node:path";
import { CommandFailed, EXIT } from "../exit.ts";
import { stateFolder } from "../folders.ts";
import { readLocalGateways } from "../local_gateways.ts";
import { asFailure, connectTo } from "../management.ts";
import type { GlobalOptions } from "../output.ts";
import {
  checkedName,
  choose,
  currentProfile,
  profileNames,
  profileOf,
  readProfiles,
  unknownProfile,
  writeProfile,
} from "../profiles.ts";
import { tableOf } from "../show.ts";
import type { Column } from "../table.ts";
import { profileTarget, type TargetRequest } from "../target.ts";
import { milliseconds, visibleCopy } from "../text.ts";
import { checkedUrl } from "../url.ts";

/** A gateway that can be named, or that runs on this machine. */
interface Known {
  readonly name: string;
  readonly url: string;
  readonly from: "profile" | "local";
  readonly isCurrent: boolean;
  readonly production: boolean;
  /** Reference to the token, never the token. */
  readonly token?: string;
}

const COLUMNS: readonly Column<Known>[] = [
  { title: " ", text: ({ isCurrent }) => isCurrent ? "*" : "" },
  { title: "NAME", text: ({ name }) => name },
  { title: "FROM", text: ({ from }) => from },
  { title: "URL", text: ({ url }) => url },
  { title: "TOKEN", text: ({ token, from }) => token ?? (from === "local" ? "its own" : "none") },
  {
    title: "KIND",
    text: ({ production }) => production ? "production" : "",
    style: () => "warning",
  },
];

/** Prints the profiles, and the gateways of this user that run on this machine. */
export async function listProfiles({ io, output }: TargetRequest): Promise<number> {
  const file = await readProfiles(io);
  const current = currentProfile(file);
  const named = profileNames(file).map((name): Known => {
    const { url, token, production } = profileOf(file, name);
    const isCurrent = name === current;
    return { name, url, from: "profile", isCurrent, production, ...(token ? { token } : {}) };
  });
  const found = readLocalGateways(stateFolder(io));
  const isOnly = current === undefined && found.length === 1;
  const local = found.map(({ name, management }): Known => ({
    name,
    url: new URL(management).origin,
    from: "local",
    isCurrent: isOnly,
    production: false,
  }));
  const items = [...named, ...local];
  if (output.isJson) output.json("profile-list", { items });
  else {
    const empty = "no gateways yet: mcp-sentinel up  starts one,  profile add  names one elsewhere";
    const rows = visibleCopy(items);
    for (const line of tableOf({ output, options: {}, rows, empty }, COLUMNS)) output.line(line);
  }
  return EXIT.done;
}

interface ProfileRequest extends TargetRequest {
  readonly name: string;
}

interface AddRequest extends ProfileRequest {
  readonly options: GlobalOptions & {
    readonly url: string;
    readonly tokenEnv?: string;
    readonly tokenFile?: string;
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly production?: true;
  };
}

/** Remembers a gateway under a name. */
export async function addProfile({ io, output, options, name }: AddRequest): Promise<number> {
  const file = await readProfiles(io);
  if (profileNames(file).includes(checkedName(name))) {
    const hint = `mcp-sentinel profile remove ${name}  first`;
    throw new CommandFailed(EXIT.failed, `there is a profile "${name}"`, hint);
  }
  const url = checkedUrl(options.url);
  const token = tokenReference(options, io.cwd);
  const files = Object.fromEntries(
    (["ca", "cert", "key"] as const).flatMap((key) => {
      const path = options[key];
      return path === undefined ? [] : [[key, resolve(io.cwd, path)]];
    }),
  );
  const production = options.production === true;
  await writeProfile(file, name, { url, ...(token ? { token } : {}), ...files, production });
  if (output.isJson) output.json("profile", { name, url });
  else {
    output.line(`added ${name}, ${url}`);
    output.line(`  try it: mcp-sentinel profile test ${name}`);
    output.line(`  undo: mcp-sentinel profile remove ${name}`);
  }
  return EXIT.done;
}

function tokenReference({ tokenEnv, tokenFile }: AddRequest["options"], cwd: string) {
  if (tokenEnv !== undefined && tokenFile !== undefined) {
    throw new CommandFailed(EXIT.usage, "give --token-env or --token-file, not both");
  }
  if (tokenEnv !== undefined && !/^[A-Za-z_]\w*$/.test(tokenEnv)) {
    const hint = "give the name of a variable, never the token itself";
    throw new CommandFailed(EXIT.usage, "--token-env is no name of a variable", hint);
  }
  if (tokenEnv !== undefined) return `\${env:${tokenEnv}}`;
  return tokenFile === undefined ? undefined : `\${file:${resolve(cwd, tokenFile)}}`;
}

interface UseRequest extends TargetRequest {
  /** Undefined for the gateway on this machine. */
  readonly name: string | undefined;
}

/** Chooses the gateway that commands talk to. */
export async function useProfile({ io, output, name }: UseRequest): Promise<number> {
  const file = await readProfiles(io);
  const before = currentProfile(file);
  if (name !== undefined) profileOf(file, name);
  await choose(file, name);
  if (output.isJson) output.json("profile", { name: name ?? null });
  else {
    output.line(name === undefined ? "using the gateway on this machine" : `using ${name}`);
    output.line(`  undo: mcp-sentinel profile use${before === undefined ? "" : ` ${before}`}`);
  }
  return EXIT.done;
}

/** Forgets a gateway. */
export async function removeProfile({ io, output, name }: ProfileRequest): Promise<number> {
  const file = await readProfiles(io);
  if (!profileNames(file).includes(name)) throw unknownProfile(file, name);
  await writeProfile(file, name, undefined);
  if (output.isJson) output.json("profile", { name });
  else {
    output.line(`removed ${name}`);
    output.line(`  undo: mcp-sentinel profile add ${name} --url …`);
  }
  return EXIT.done;
}

/** Connects to a gateway and prints what answered. */
export async function testProfile(request: ProfileRequest): Promise<number> {
  const { io, output, name } = request;
  const target = await profileTarget(await readProfiles(io), name, request);
  const { client, wait } = await connectTo(target, request);
  const started = io.clock.now();
  const answer = await asFailure(() => client.request("status", wait));
  const latencyMs = io.clock.now() - started;
  const { name: gateway, state, version, you } = answer;
  const scope = you?.scope === undefined ? {} : { scope: you.scope };
  const found = { name, url: target.url, gateway, state, version, ...scope, latencyMs };
  if (output.isJson) output.json("profile-test", found);
  else {
    const shown = visibleCopy(found);
    output.line(`${name}  ${target.url}  answers in ${milliseconds(latencyMs)}`);
    const may = you?.scope === undefined ? "" : `  with scope ${you.scope}`;
    output.line(`  ${shown.gateway}  ${state}  ${shown.version}${may}`);
  }
  return EXIT.done;
}
