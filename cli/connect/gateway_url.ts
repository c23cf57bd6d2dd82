/** Which gateway a client is pointed at, and whether it asks for a token. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { ConfigError } from "../../src/config/issue.ts";
import { tableAt, textAt } from "../../src/config/raw.ts";
import { parseToml } from "../../src/config/syntax.ts";
import { parseListen } from "../../src/contract/config/listen.ts";
import type { LocalGateway } from "../../src/contract/local_gateway.ts";
import { findConfig } from "../config_file.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { stateFolder } from "../folders.ts";
import { readLocalGateways } from "../local_gateways.ts";
import { asFailure, connect } from "../management.ts";
import { counted } from "../output.ts";
import { currentProfile, readProfiles } from "../profiles.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";
import { visible } from "../text.ts";
import { checkedEndpoint, DEFAULT_PATH } from "./endpoint.ts";

const PROBE_MS = 3000;
const DEFAULT_LISTEN = { host: "127.0.0.1", port: 8808 };

/** Options that choose the gateway. */
export interface GatewayOptions extends TargetOptions {
  /** Of the gateway's endpoint. */
  readonly url?: string;
}

interface GatewayRequest extends TargetRequest {
  readonly options: GatewayOptions;
}

export interface GatewayUrl {
  readonly url: string;
  /** Its configuration file, where one is known; absolute. */
  readonly config: string | undefined;
  /** False: nothing answered. */
  readonly isUp: boolean;
  readonly signIn: boolean;
  /** Set when it is a gateway of this user on this machine. */
  readonly local: LocalGateway | undefined;
}

/**
 * The address that was given, else the gateway of the profile, else that of the file, else the one that runs
 * on this machine, else the one that would run with the file that is found here.
 * @throws CommandFailed when that is none, or more than one
 */
export async function findGateway(request: GatewayRequest): Promise<GatewayUrl> {
  const { url, config, local, needsToken } = await choose(request);
  const answer = await probe(url);
  return {
    url,
    config,
    local,
    isUp: answer !== "none",
    signIn: answer === "none" ? needsToken : answer === "unauthorized",
  };
}

interface Chosen {
  readonly url: string;
  readonly config?: string | undefined;
  readonly local?: LocalGateway;
  /** What the file says; false without one. */
  readonly needsToken: boolean;
}

async function choose(request: GatewayRequest): Promise<Chosen> {
  const { io, options } = request;
  if (options.url !== undefined) {
    return { url: checkedEndpoint(options.url), needsToken: false };
  }
  const isProfile = options.profile !== undefined ||
    (options.config === undefined && currentProfile(await readProfiles(io)) !== undefined);
  if (isProfile) return await ofProfile(request);
  const running = readLocalGateways(stateFolder(io)).filter(hasEndpoint);
  const file = await findConfig(io, options.config);
  const path = file === undefined ? undefined : resolve(io.cwd, file);
  const own = running.find(({ config }) => config !== undefined && config === path);
  if (own !== undefined) return ofRunning(own);
  if (options.config !== undefined && path !== undefined) return await ofFile(path);
  const [only, ...more] = running;
  if (only !== undefined && more.length === 0) return ofRunning(only);
  if (only === undefined && path !== undefined) return await ofFile(path);
  throw noGateway(running);
}

type Running = LocalGateway & { readonly endpoint: string };

function hasEndpoint(gateway: LocalGateway): gateway is Running {
  return gateway.endpoint !== undefined;
}

function ofRunning(local: Running): Chosen {
  const url = reachable(local.endpoint, DEFAULT_LISTEN.host);
  return { url, config: local.config, local, needsToken: false };
}

async function ofProfile(request: GatewayRequest): Promise<Chosen> {
  const { client, target, wait } = await connect(request);
  const { endpoint } = await asFailure(() => client.request("status", wait));
  if (endpoint === undefined) {
    const message = `the gateway of "${target.name}" listens for no clients`;
    throw new CommandFailed(EXIT.failed, message, "--url URL names another address");
  }
  const url = reachable(endpoint, new URL(target.url).hostname);
  return { url, needsToken: false };
}

/** A gateway that listens on every address of its machine is reached at one of them. */
function reachable(endpoint: string, hostname: string): string {
  const url = new URL(endpoint);
  if (["0.0.0.0", "[::]"].includes(url.hostname)) url.hostname = hostname;
  return url.href;
}

/** Nothing of the file but these keys is looked at: its variables are the gateway's, not ours. */
async function ofFile(path: string): Promise<Chosen> {
  const table = await readTable(path);
  const server = tableAt(table, "server");
  const { host, port } = parseListen(textAt(server, "listen") ?? "") ?? DEFAULT_LISTEN;
  const scheme = Object.keys(tableAt(server, "tls")).length > 0 ? "https" : "http";
  const name = ["", "0.0.0.0", "::"].includes(host) ? DEFAULT_LISTEN.host : host;
  const authority = `${name.includes(":") ? `[${name}]` : name}:${port}`;
  const url = `${scheme}://${authority}${textAt(server, "path") ?? DEFAULT_PATH}`;
  return { url, config: path, needsToken: textAt(table, "auth", "mode") === "jwt" };
}

async function readTable(path: string): Promise<Record<string, unknown>> {
  try {
    return parseToml((await readFile(path, "utf8")).replace(/^\ufeff/, ""), path);
  } catch (thrown) {
    const isWrong = thrown instanceof ConfigError;
    const reason = isWrong ? "it is no TOML" : (thrown as Error).message;
    const hint = isWrong ? "mcp-sentinel validate" : "-c FILE names another one";
    throw new CommandFailed(EXIT.badConfig, `cannot read "${visible(path)}": ${reason}`, hint);
  }
}

/** Asks without a token: a gateway with sign-in says so before it looks at anything else. */
async function probe(url: string): Promise<"open" | "unauthorized" | "none"> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      redirect: "manual",
      signal: AbortSignal.timeout(PROBE_MS),
    });
    await response.body?.cancel();
    return response.status === 401 ? "unauthorized" : "open";
  } catch {
    return "none"; // down, slow, or with a certificate that only its clients know: the caller says so
  }
}

function noGateway(running: readonly Running[]): CommandFailed {
  if (running.length === 0) {
    const hint = "mcp-sentinel up  starts one,  --url URL  names one elsewhere";
    return new CommandFailed(EXIT.unreachable, "no gateway of yours runs on this machine", hint);
  }
  const rows = running.map(({ name, endpoint, config }) =>
    `  --url ${endpoint}   ${visible(name)}${config === undefined ? "" : `  ${visible(config)}`}`
  );
  const message = `${counted(running.length, "gateway")} run on this machine; which one?\n${
    rows.join("\n")
  }`;
  return new CommandFailed(EXIT.usage, message, "-c FILE chooses by its configuration");
}
