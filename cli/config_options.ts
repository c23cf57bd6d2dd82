/** Options of the command line that win over the configuration. */
import { resolve } from "node:path";
import type { Override } from "../src/config/overrides.ts";
import { parseToml } from "../src/config/syntax.ts";
import { parseListen } from "../src/contract/config/listen.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import type { Io } from "./io.ts";
import type { GlobalOptions } from "./output.ts";

/** Options of the commands that read a configuration. */
export interface ConfigOptions extends GlobalOptions {
  readonly envFile?: string;
  readonly listen?: string;
  readonly logLevel?: string;
  readonly managementHost?: string;
  readonly managementPort?: string;
  /** Variable that holds an admin token. */
  readonly managementTokenEnv?: string;
  readonly managementTlsCert?: string;
  readonly managementTlsKey?: string;
  /** Authority of the client certificates that are required. */
  readonly managementMtlsCa?: string;
}

/** What the options are about. */
interface Place {
  /** Of the configuration. */
  readonly text: string;
  readonly file: string;
  readonly env: Io["env"];
  readonly cwd: string;
}

const DEFAULT_MANAGEMENT = { host: "127.0.0.1", port: 8809 };

/**
 * The options as values that win over file and environment.
 * @throws CommandFailed for a variable that is not set, ConfigError when the file is no TOML
 */
export function optionOverrides(options: ConfigOptions, place: Place): Override[] {
  return [
    ...given(["server", "listen"], options.listen, "--listen"),
    ...logLevel(options),
    ...managementListen(options, place),
    ...managementToken(options, place),
    ...managementTls(options, place),
  ];
}

function given(path: readonly string[], value: string | undefined, source: string): Override[] {
  return value === undefined ? [] : [{ path, value, source }];
}

function logLevel({ logLevel, verbose, quiet }: ConfigOptions): Override[] {
  const level = logLevel ?? (verbose ? "debug" : quiet ? "error" : undefined);
  const source = logLevel === undefined ? (verbose ? "--verbose" : "--quiet") : "--log-level";
  return given(["telemetry", "log", "level"], level, source);
}

function managementListen(options: ConfigOptions, place: Place): Override[] {
  const { managementHost: host, managementPort: port } = options;
  if (host === undefined && port === undefined) return [];
  const written = writtenManagement(place);
  const name = host ?? written.host;
  const value = `${name.includes(":") ? `[${name}]` : name}:${port ?? written.port}`;
  const source = host === undefined ? "--management-port" : "--management-host";
  return given(["management", "listen"], value, source);
}

/** The address without these options: one of them alone changes only its part. */
function writtenManagement({ text, file, env }: Place): { host: string; port: number } {
  const { management } = parseToml(text.replace(/^\ufeff/, ""), file);
  const inFile = (management as { readonly listen?: unknown } | undefined)?.listen;
  const listen = env["SENTINEL_MANAGEMENT_LISTEN"] || inFile;
  return (typeof listen === "string" ? parseListen(listen) : undefined) ?? DEFAULT_MANAGEMENT;
}

function managementToken({ managementTokenEnv: name }: ConfigOptions, { env }: Place): Override[] {
  if (name === undefined) return [];
  const value = env[name]?.trim() ?? "";
  const source = `--management-token-env ${name}`;
  if (value === "") {
    const hint = "set it, for instance to the output of  openssl rand -base64 32";
    throw new CommandFailed(EXIT.badConfig, `${source}: the variable is not set`, hint);
  }
  const token = { name: "cli", scope: "admin", value };
  return [{ path: ["management", "tokens"], value: token, append: true, source }];
}

function managementTls(options: ConfigOptions, { cwd }: Place): Override[] {
  const file = (key: string, path: string | undefined, source: string) =>
    given(["management", "tls", key], path === undefined ? path : resolve(cwd, path), source);
  return [
    ...file("cert", options.managementTlsCert, "--management-tls-cert"),
    ...file("key", options.managementTlsKey, "--management-tls-key"),
    ...file("client_ca", options.managementMtlsCa, "--management-mtls-ca"),
  ];
}
