import { existsSync } from "node:fs";
import type { RuntimeName } from "./options.ts";
import { PROGRAMS, run } from "./runtimes.ts";

/** What a target is, and so which figures are compared with which. */
export type Role =
  | "direct"
  | "bare"
  | "gateway"
  | "bundle"
  | "full"
  | "unrecorded"
  | "sdk"
  | Pair;

/** Eras of clients and backends: with sessions, and without. */
export const ERAS = ["legacy", "modern"] as const;
export type Era = (typeof ERAS)[number];
/** Era of the clients, then of the backend. */
export type Pair = `${Era}-${Era}`;

/** A target before it runs: `runtime` is the one its command uses. */
export interface TargetPlan {
  readonly role: Role;
  readonly runtime: RuntimeName;
  readonly command: readonly string[];
  /** Of its clients; default: legacy. */
  readonly era?: Era;
}

/** How each role is called in a table. */
export const ROLE_NAMES: Record<Role, string> = {
  direct: "backend alone",
  bare: "bare proxy",
  gateway: "gateway, from source",
  bundle: "gateway, bundled",
  full: "gateway, full",
  unrecorded: "gateway, full without audit",
  sdk: "naive SDK proxy",
  "legacy-legacy": "legacy client, legacy backend",
  "legacy-modern": "legacy client, modern backend",
  "modern-legacy": "modern client, legacy backend",
  "modern-modern": "modern client, modern backend",
};

/** Where the gateway's configurations are, and the HTTP backend that proxies forward to. */
export interface Setting {
  readonly backend: URL;
  readonly config: string;
}

/** HTTP in front, HTTP behind: bare proxy, gateway and SDK proxy of one runtime. */
export function httpTargets(runtime: RuntimeName, { backend, config }: Setting): TargetPlan[] {
  return [
    bareProxy(runtime, backend),
    ...gateways(runtime, config),
    sdkProxy(runtime, backend.href),
  ];
}

/** As `httpTargets`, with the gateway of a team: one that records its calls, one that does not. */
export function fullTargets(
  runtime: RuntimeName,
  { backend, configs }: { backend: URL; configs: Readonly<Record<FullRole, string>> },
): TargetPlan[] {
  return [
    bareProxy(runtime, backend),
    ...FULL_ROLES.map((role) => ({
      role,
      runtime,
      command: server(runtime, fullProgram(), configs[role]),
    })),
    sdkProxy(runtime, backend.href),
  ];
}

/** A gateway for each pair of eras; `configs` by the era of the backend. */
export function eraTargets(
  runtime: RuntimeName,
  configs: Readonly<Record<Era, string>>,
): TargetPlan[] {
  return ERAS.flatMap((era) =>
    ERAS.map((backend): TargetPlan => ({
      role: `${era}-${backend}`,
      runtime,
      era,
      command: server(runtime, fullProgram(), configs[backend]),
    }))
  );
}

export const FULL_ROLES = ["full", "unrecorded"] as const satisfies readonly Role[];
export type FullRole = (typeof FULL_ROLES)[number];

/** The gateway's program that people run, or its source before a build. */
export function fullProgram(): string {
  return existsSync(PROGRAMS.bundle) ? PROGRAMS.bundle : PROGRAMS.gateway;
}

/** HTTP in front, one shared stdio child behind; the bare proxy still forwards to the HTTP backend. */
export function stdioTargets(runtime: RuntimeName, { backend, config }: Setting): TargetPlan[] {
  return [
    bareProxy(runtime, backend),
    ...gateways(runtime, config),
    sdkProxy(runtime, "--stdio", ...STDIO_ECHO),
  ];
}

/** The stdio backend; the same program on the same runtime behind every front. */
export const STDIO_ECHO = run("node", PROGRAMS.echo, "--stdio");

/** The gateway's programs that exist in this checkout; the bundle only after a build. */
export function gateways(runtime: RuntimeName, config: string): TargetPlan[] {
  const programs = { gateway: PROGRAMS.gateway, bundle: PROGRAMS.bundle };
  return (["gateway", "bundle"] as const).filter((role) => existsSync(programs[role]))
    .map((role) => ({ role, runtime, command: server(runtime, programs[role], config) }));
}

function server(runtime: RuntimeName, program: string, config: string): readonly string[] {
  return run(runtime, program, "server", "--config", config, "--json");
}

function bareProxy(runtime: RuntimeName, backend: URL): TargetPlan {
  return { role: "bare", runtime, command: run(runtime, PROGRAMS.bareProxy, backend.origin) };
}

function sdkProxy(runtime: RuntimeName, ...args: string[]): TargetPlan {
  return { role: "sdk", runtime, command: run(runtime, PROGRAMS.sdkProxy, ...args) };
}
