/** A gateway that runs: what it says of itself, and whether it runs what the file says. */
import type { Check } from "../../src/contract/diagnosis.ts";
import type { LocalGateway } from "../../src/contract/local_gateway.ts";
import type { Status } from "../../src/contract/manage/mod.ts";
import { CommandFailed } from "../exit.ts";
import { asFailure, type Connection, connectTo } from "../management.ts";
import { counted } from "../output.ts";
import { listed } from "../show.ts";
import { findTarget, type Target, type TargetOptions, type TargetRequest } from "../target.ts";
import { longDuration } from "../text.ts";
import { VERSION } from "../version.ts";

export interface GatewayChecksOptions extends TargetRequest {
  /** Those of this user that run here. */
  readonly gateways: readonly LocalGateway[];
  /** Absolute path of the configuration, where there is one. */
  readonly path: string | undefined;
  /** Milliseconds for each request. */
  readonly limitMs: number;
}

const SECTION = { section: "gateway" } as const;

/** The gateway that the options name, else those on this machine that run this configuration. */
export async function examineGateways(options: GatewayChecksOptions): Promise<readonly Check[]> {
  if (namesOne(options.options)) return await named(options);
  const own = options.gateways.filter(({ config }) => config === options.path);
  if (own.length === 0) {
    const others = options.gateways.length;
    const text = others === 0
      ? "none of yours runs here"
      : `none runs with this configuration; ${counted(others, "other")} of yours here`;
    return [{ ...SECTION, level: "ok", text }];
  }
  const checks = await Promise.all(own.map((gateway) => {
    const { name, management, token, pid } = gateway;
    const target = { name, url: new URL(management).origin, token, tls: {}, production: false };
    return ask(target, `wait until it has started, or end process ${pid}`, options);
  }));
  return checks.flat();
}

function namesOne({ profile, ...options }: TargetOptions): boolean {
  return profile !== undefined ||
    Object.entries(options).some(([name, value]) =>
      name.startsWith("management") && value !== undefined
    );
}

async function named(options: GatewayChecksOptions): Promise<readonly Check[]> {
  const target = await findTarget(options);
  return await ask(target, "start it, or correct address and token of the profile", options);
}

/** @param ifAway what to do when it does not answer */
async function ask(
  target: Target,
  ifAway: string,
  request: GatewayChecksOptions,
): Promise<readonly Check[]> {
  const { name } = target;
  try {
    const connection = {
      ...await connectTo(target, request),
      wait: { timeoutMs: request.limitMs },
    };
    const { client, wait } = connection;
    const status = await asFailure(() => client.request("status", wait));
    const more = await Promise.all([circuitChecks(connection), fileChecks(connection)]);
    return [stateCheck(name, status), ...statusChecks(name, status), ...more.flat()];
  } catch (thrown) {
    if (!(thrown instanceof CommandFailed)) throw thrown;
    const { message, hint } = thrown;
    return [{ ...SECTION, name, level: "fail", text: message, cure: hint || ifAway }];
  }
}

function stateCheck(name: string, status: Status): Check {
  const { state, uptimeSeconds, version, runtime, config, reasons } = status;
  const facts = [
    state,
    `up ${longDuration(uptimeSeconds)}`,
    `${version} on ${runtime.name} ${runtime.version}`,
    ...config.hash === "" ? [] : [`config ${config.hash}`],
  ];
  const row = { ...SECTION, name, text: facts.join(", ") };
  if (state === "ready") return { ...row, level: "ok" };
  const level = state === "failed" ? "fail" : "warn";
  return { ...row, level, detail: reasons, cure: "mcp-sentinel status  says more" };
}

function statusChecks(name: string, status: Status): readonly Check[] {
  const { version, config: { restartPending }, audit, stores, killSwitches } = status;
  const warn = (text: string, cure: string): Check => ({
    ...SECTION,
    name,
    level: "warn",
    text,
    cure,
  });
  const waiting = restartPending.join(", ");
  return [
    ...version === VERSION ? [] : [
      warn(
        `it runs ${version}, this command is ${VERSION}`,
        "start it anew to run the same version",
      ),
    ],
    ...restartPending.length === 0
      ? []
      : [warn(`changed values wait for a restart: ${waiting}`, "start it anew")],
    ...audit.dropped === 0 ? [] : [
      warn(
        `${counted(audit.dropped, "row")} of the audit dropped`,
        'set  when_full = "refuse-calls"  in [audit], or look at its store',
      ),
    ],
    ...stores.filter(({ ok }) => !ok).map((store) =>
      warn(`store ${store.name} (${store.kind}): ${store.error ?? "failed"}`, "look at that store")
    ),
    ...killSwitches === 0 ? [] : [
      warn(
        `${counted(killSwitches, "kill switch", "kill switches")} set`,
        "mcp-sentinel kill list",
      ),
    ],
  ];
}

async function circuitChecks(connection: Connection): Promise<readonly Check[]> {
  const { items } = await listed({ connection, route: "backends", options: {} });
  return items.flatMap(({ name, circuit: { state, tools } }): readonly Check[] => {
    if (state === "closed" && tools.length === 0) return [];
    const what = state === "closed" ? `for ${tools.join(", ")}` : `is ${state.replace("_", " ")}`;
    const text = `the circuit of backend "${name}" ${what}: calls fail too often`;
    const cure = `mcp-sentinel backends show ${name}`;
    return [{ ...SECTION, name: connection.target.name, level: "warn", text, cure }];
  });
}

/** Asked of the gateway itself, which reads its file as a reload would. */
async function fileChecks(
  { client, wait, target: { name } }: Connection,
): Promise<readonly Check[]> {
  const row = { ...SECTION, name, level: "warn" } as const;
  try {
    const { changes } = await asFailure(() => client.request("diff", wait));
    if (changes.length === 0) return [];
    const text = `its file has ${counted(changes.length, "change")} that it does not run yet`;
    return [{ ...row, text, cure: "mcp-sentinel diff  shows,  mcp-sentinel reload  applies them" }];
  } catch (thrown) {
    if (!(thrown instanceof CommandFailed)) throw thrown;
    // One that was started without a file has nothing to compare.
    if (thrown.details.error !== "CONFIG_INVALID") return [];
    const text = `its file cannot be loaded any more: ${thrown.message}`;
    return [{ ...row, text, cure: "mcp-sentinel validate  says where" }];
  }
}
