/** Each backend greeted as the gateway greets it. */
import process from "node:process";
import type { Check } from "../../contract/diagnosis.ts";
import type { BackendConfig, Config } from "../../contract/mod.ts";
import { findCommand } from "../process/command.ts";
import { backendCheck } from "./backend_check.ts";
import { certificateAt, dateProblem } from "./certificate.ts";
import { childCure } from "./child_cures.ts";
import { type Greeted, type Greeter, openGreeter } from "./greeter.ts";
import { isLogin, isWrongPath, usualAddresses } from "./http_cures.ts";
import { type Bounds, someAtATime, within } from "./within.ts";

/** Backends greeted at a time. */
const AT_A_TIME = 4;
/** For an address that is only tried. */
const GUESS_MS = 3000;

export interface BackendsOptions extends Bounds {
  readonly config: Config;
  /** Replaced in everything a backend says. */
  readonly secrets: readonly string[];
  /** Only these; default: all. */
  readonly names: readonly string[];
  /** False: no process is started. */
  readonly start: boolean;
  /** Told after each. */
  readonly progress: (done: number, of: number) => void;
}

/** A row, and what was seen when it answered. */
export interface ExaminedBackend {
  readonly check: Check;
  readonly greeted?: Greeted;
}

/** In the order of the configuration. @throws the reason of the signal; what was started has ended then */
export async function examineBackends(options: BackendsOptions): Promise<ExaminedBackend[]> {
  const { config, secrets, names, progress } = options;
  const wanted = Object.entries(config.backends)
    .filter(([name]) => names.length === 0 || names.includes(name));
  if (wanted.length === 0) return [];
  const greeter = await openGreeter(config, secrets);
  let done = 0;
  try {
    return await someAtATime(wanted, AT_A_TIME, async ([name, own]) => {
      const examined = await examine(name, own, { ...options, greeter });
      progress(++done, wanted.length);
      return examined;
    });
  } finally {
    await greeter.close();
  }
}

interface Examining extends BackendsOptions {
  readonly greeter: Greeter;
}

async function examine(
  name: string,
  own: BackendConfig,
  options: Examining,
): Promise<ExaminedBackend> {
  const row = { section: "backend", name } as const;
  if (!own.enabled) return { check: { ...row, level: "ok", text: "not enabled, not looked at" } };
  if (own.command !== undefined && !options.start) return { check: unstarted(name, own) };
  const { greeter, limitMs, signal } = options;
  const greeted = await greeter.greet(name, own, { limitMs, signal });
  const check = backendCheck(greeted, {
    better: await betterAddress(greeted, options),
    certificate: await certificateProblem(greeted, options),
  });
  return check.level === "fail" ? { check } : { check, greeted };
}

/** Without starting it: whether its program is there. */
function unstarted(name: string, own: BackendConfig): Check {
  const { command = "", cwd, env } = own;
  const inherited = own.inherit_env.flatMap((variable) => {
    const value = process.env[variable];
    return value === undefined ? [] : [[variable, value] as const];
  });
  const place = { env: { ...Object.fromEntries(inherited), ...env } };
  const found = findCommand(command, cwd === undefined ? place : { ...place, cwd });
  const row = { section: "backend", name } as const;
  if ("path" in found) return { ...row, level: "ok", text: `${found.path}, not started` };
  const cure = childCure(
    { config: own, name, samples: [], lateMs: undefined, stderr: [] },
    found.failure,
  );
  return { ...row, level: "fail", text: found.failure, cure };
}

/** Another usual address of the same server, when it answers there and not at the one that is written. */
async function betterAddress(
  { name, config, status, lateMs }: Greeted,
  { greeter, signal }: Examining,
): Promise<string | undefined> {
  const failure = status.lastError ?? "";
  const isOther = config.url !== undefined && lateMs === undefined && status.links === 0 &&
    isWrongPath(failure) && !isLogin(failure);
  if (!isOther) return undefined;
  for (const url of usualAddresses(config.url ?? "")) {
    const bounds = { limitMs: GUESS_MS, signal };
    const { status: { links } } = await greeter.greet(name, { ...config, url }, bounds);
    if (links > 0) return shown(url);
  }
  return undefined;
}

/** What is wrong with the dates of its certificate, which the runtimes say in many words or none. */
async function certificateProblem(
  { config: { url = "" }, status: { lastError = "" } }: Greeted,
  { signal }: Bounds,
): Promise<string | undefined> {
  const parsed = URL.parse(url);
  if (parsed?.protocol !== "https:" || !/certificate|TLS|exchange failed/i.test(lastError)) {
    return undefined;
  }
  const bounds = { limitMs: GUESS_MS, signal };
  const shown = await within(bounds, (aborted) => certificateAt(parsed, aborted))
    .catch(() => undefined);
  return shown === undefined ? undefined : dateProblem(shown, Date.now());
}

/** Without what may be a secret. */
function shown(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return `${origin}${pathname}${search === "" ? "" : "?…"}`;
}
