/** Whether the configured addresses can be listened on, and how long their certificates hold. */
import { createServer } from "node:net";
import type { Check } from "../../contract/diagnosis.ts";
import { parseListen } from "../../contract/config/listen.ts";
import type { LocalGateway } from "../../contract/local_gateway.ts";
import { type Config, SentinelError } from "../../contract/mod.ts";
import { loadTls } from "../tls/files.ts";
import { listenerOf } from "./socket_owner.ts";
import { type Bounds, within } from "./within.ts";

/** A certificate that ends sooner should be renewed. */
const SOON_MS = 14 * 24 * 3_600_000;
/** Ports tried for one that is free. */
const MORE_PORTS = 20;
const LISTENERS = ["server", "management"] as const;
type Name = (typeof LISTENERS)[number];

export interface ListenersOptions extends Bounds {
  readonly config: Config;
  /** Absolute path of the configuration, where there is one. */
  readonly file: string | undefined;
  /** Those of this user that run here. */
  readonly gateways: readonly LocalGateway[];
}

export async function examineListeners(options: ListenersOptions): Promise<readonly Check[]> {
  const found: Check[] = [];
  for (const name of LISTENERS) {
    found.push(await addressCheck(name, options), ...await certificateChecks(name, options));
  }
  return found;
}

async function addressCheck(name: Name, options: ListenersOptions): Promise<Check> {
  const { listen } = options.config[name];
  const row = { section: "listener", name } as const;
  const parsed = parseListen(listen);
  if (parsed === undefined) return { ...row, level: "fail", text: `${listen} is no address` };
  const code = await within(options, () => tryToListen(parsed.host, parsed.port));
  if (code === undefined) return { ...row, level: "ok", text: `${listen} is free` };
  if (code === "EADDRINUSE") return await takenCheck(name, parsed, options);
  const [text, cure] = REFUSALS[code] ??
    [`cannot listen on ${listen} (${code})`, `choose another address for ${name}.listen`];
  return { ...row, level: "fail", text: text.replace("%", listen), cure };
}

const REFUSALS: Readonly<Record<string, readonly [string, string]>> = {
  EACCES: ["not allowed to listen on %", "ports below 1024 are for root: choose a higher one"],
  EPERM: ["not allowed to listen on %", "ports below 1024 are for root: choose a higher one"],
  EADDRNOTAVAIL: ["this machine has no address %", "127.0.0.1 is on every machine"],
  ENOTFOUND: ["the name of % leads nowhere", "127.0.0.1 is on every machine"],
};

interface Address {
  readonly host: string;
  readonly port: number;
}

async function takenCheck(
  name: Name,
  address: Address,
  { config, file, gateways }: ListenersOptions,
): Promise<Check> {
  const { listen } = config[name];
  const row = { section: "listener", name } as const;
  const own = gateways.find((gateway) => portsOf(gateway).includes(address.port));
  if (own !== undefined && own.config === file) {
    return { ...row, level: "ok", text: `${listen} is served by our gateway (pid ${own.pid})` };
  }
  const free = await freePort(address);
  const move = free === undefined
    ? `set another ${name}.listen`
    : `set  listen = "${address.host}:${free}"  in [${name}]`;
  if (own !== undefined) {
    const other = own.config === undefined ? "without a file" : `of ${own.config}`;
    const text =
      `${listen} is taken by another gateway of yours, "${own.name}" ${other} (pid ${own.pid})`;
    return { ...row, level: "fail", text, cure: `stop that one, or ${move}` };
  }
  const owner = listenerOf(address.port);
  const by = owner === undefined ? "another program" : `${owner.program} (pid ${owner.pid})`;
  return {
    ...row,
    level: "fail",
    text: `${listen} is taken by ${by}`,
    cure: `stop that program, or ${move}`,
  };
}

function portsOf({ management, endpoint }: LocalGateway): readonly number[] {
  return [management, endpoint].flatMap((url) => {
    const parsed = URL.parse(url ?? "");
    return parsed === null || parsed.port === "" ? [] : [Number(parsed.port)];
  });
}

async function freePort({ host, port }: Address): Promise<number | undefined> {
  for (let next = port + 2; next <= Math.min(port + MORE_PORTS, 65_535); next++) {
    if (await tryToListen(host, next) === undefined) return next;
  }
  return undefined;
}

/** The system's name for why not; undefined when it could. Nothing is accepted. */
function tryToListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => void socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}

async function certificateChecks(name: Name, { config }: ListenersOptions): Promise<Check[]> {
  const { tls } = config[name];
  if (tls === undefined) return [];
  const row = { section: "listener", name } as const;
  try {
    const { expiresAt } = await loadTls(tls, `${name}.tls`);
    const day = new Date(expiresAt).toISOString().slice(0, 10);
    const cure = `have ${tls.cert} renewed; a gateway that runs takes the new one by itself`;
    if (expiresAt <= Date.now()) {
      return [{ ...row, level: "fail", text: `its certificate expired ${day}`, cure }];
    }
    const text = `its certificate is valid until ${day}`;
    return [
      expiresAt - Date.now() < SOON_MS ? { ...row, level: "warn", text, cure } : {
        ...row,
        level: "ok",
        text,
      },
    ];
  } catch (thrown) {
    if (!(thrown instanceof SentinelError)) throw thrown;
    return [{ ...row, level: "fail", text: thrown.message, cure: `correct [${name}.tls]` }];
  }
}
