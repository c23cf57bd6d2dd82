/** Everything that is looked at, at once where one thing does not need another. */
import type { Check } from "../../src/contract/diagnosis.ts";
import type { Config } from "../../src/contract/config.ts";
import type { ParsedConfig } from "../../src/config/parse.ts";
import { suggest } from "../../src/contract/suggest.ts";
import type { LoadedConfig } from "../config_file.ts";
import type { ConfigOptions } from "../config_options.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { stateFolder } from "../folders.ts";
import { readLocalGateways } from "../local_gateways.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";
import { visible } from "../text.ts";
import { runtimeName } from "../version.ts";
import { examineConfig } from "./config_checks.ts";
import { examineGateways } from "./gateway_checks.ts";
import type { Progress } from "./progress.ts";

export interface DoctorOptions extends TargetOptions, ConfigOptions {
  /** False: no process is started. */
  readonly start: boolean;
  readonly conformance?: true;
}

export interface DoctorRequest extends TargetRequest {
  readonly options: DoctorOptions;
  /** Only these; empty: all, and everything else too. */
  readonly backends: readonly string[];
}

export interface Examination {
  readonly request: DoctorRequest;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Milliseconds for each check. */
  readonly limitMs: number;
}

export interface Examined {
  readonly checks: readonly Check[];
  /** Values that must not be shown. */
  readonly secrets: readonly string[];
}

/** @throws the reason of the signal, CommandFailed for wrong options */
export async function examineAll(examination: Examination): Promise<Examined> {
  const { request: { io, options, backends } } = examination;
  const { config, envFile } = options;
  const own = {
    ...(config === undefined ? {} : { config }),
    ...(envFile === undefined ? {} : { envFile }),
  };
  const { checks, parsed, path } = await examineConfig(io, own);
  if (parsed === undefined) {
    const more = backends.length > 0 ? [] : await Promise.all([
      machineChecks(),
      gatewayChecks(examination, path),
    ]);
    return { checks: [...checks, NOT_LOOKED_AT, ...more.flat()], secrets: [] };
  }
  checkNames(backends, parsed.config);
  if (options.conformance) {
    const more = await conformanceChecks(examination, parsed);
    return { checks: [...checks, ...more], secrets: parsed.secrets };
  }
  const found = backends.length > 0
    ? [await backendChecks(examination, parsed)]
    : await everything(examination, parsed, path);
  return { checks: [...checks, ...found.flat()], secrets: parsed.secrets };
}

const NOT_LOOKED_AT: Check = {
  section: "config",
  level: "warn",
  text: "addresses, issuers, stores and backends were not looked at: they need a configuration",
};

function checkNames(wanted: readonly string[], { backends }: Config): void {
  const known = Object.keys(backends);
  for (const name of wanted) {
    if (known.includes(name)) continue;
    const near = suggest(name, known);
    const hint = near === undefined
      ? known.map(visible).join(", ")
      : `did you mean ${visible(near)}?`;
    throw new CommandFailed(EXIT.usage, `there is no backend "${visible(name)}"`, hint);
  }
}

async function everything(
  examination: Examination,
  parsed: ParsedConfig | LoadedConfig,
  path: string | undefined,
): Promise<readonly (readonly Check[])[]> {
  const { request: { io }, signal, limitMs } = examination;
  const { config } = parsed;
  const { examineIssuers, examineListeners, examineState, examineStores } = await import(
    "../../src/hosts/examine.ts"
  );
  const stateDir = stateFolder(io);
  const gateways = readLocalGateways(stateDir);
  const bounds = { signal, limitMs };
  return await allOf([
    examineState({ config, stateDir, identity: path ?? io.cwd }),
    examineStores({ config, ...bounds }),
    machineChecks(),
    examineListeners({ config, file: path, gateways, ...bounds }),
    examineIssuers({ config, ...bounds }),
    gatewayChecks(examination, path),
    backendChecks(examination, parsed),
  ]);
}

/** Waits for all of them, also after one has failed: each ends what it has started. */
async function allOf<Value>(works: readonly Promise<Value>[]): Promise<readonly Value[]> {
  await Promise.allSettled(works);
  return await Promise.all(works);
}

async function machineChecks(): Promise<readonly Check[]> {
  const { examineMachine } = await import("../../src/hosts/examine.ts");
  return await examineMachine(runtimeName());
}

async function gatewayChecks(
  { request, limitMs }: Examination,
  path: string | undefined,
): Promise<readonly Check[]> {
  const gateways = readLocalGateways(stateFolder(request.io));
  return await examineGateways({ ...request, gateways, path, limitMs });
}

async function backendChecks(
  { request, signal, limitMs, progress }: Examination,
  parsed: ParsedConfig | LoadedConfig,
): Promise<readonly Check[]> {
  const { config, secrets } = parsed;
  const { examineBackends, nameChecks, patternChecks } = await import(
    "../../src/hosts/examine.ts"
  );
  const examined = await examineBackends({
    config,
    secrets,
    names: request.backends,
    start: request.options.start,
    signal,
    limitMs,
    progress: (done, of) => progress.show(`backends: ${done} of ${of}`),
  });
  const source = "text" in parsed ? parsed : undefined;
  const greeted = examined.flatMap((one) => one.greeted ?? []);
  return [
    ...examined.map(({ check }) => check),
    ...await patternChecks(config, greeted, source),
    ...nameChecks(config, greeted),
  ];
}

/** Of the backend that is named, else of the only one that can be meant. */
async function conformanceChecks(
  { request: { io, backends }, signal, limitMs, progress }: Examination,
  { config, secrets }: ParsedConfig,
): Promise<readonly Check[]> {
  const remote = Object.entries(config.backends)
    .filter(([, { url, enabled }]) => url !== undefined && enabled).map(([name]) => name);
  const [backend, ...more] = backends.length > 0 ? backends : remote;
  if (backend === undefined || more.length > 0) {
    const hint = remote.length === 0
      ? "the suite speaks HTTP: configure a backend with a url"
      : `one of: ${remote.map(visible).join(", ")}`;
    throw new CommandFailed(EXIT.usage, "--conformance needs the name of one HTTP backend", hint);
  }
  const { examineConformance } = await import("../../src/hosts/examine.ts");
  const { cwd } = io;
  const show = (text: string) => progress.show(text);
  return await examineConformance({
    config,
    secrets,
    backend,
    cwd,
    signal,
    limitMs,
    progress: show,
  });
}
