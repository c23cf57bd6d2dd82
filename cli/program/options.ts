/** Options that several commands share. */
import { type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { takesProfile } from "./reach.ts";

const HIGHEST_PORT = 65_535;

export function listenOption() {
  return new Option("--listen <host:port>", "address for clients; wins over the file");
}

export function logLevelOption() {
  return new Option("--log-level <level>", "least severe events to log")
    .choices(["debug", "info", "warn", "error"] as const);
}

export function envFileOption() {
  const what = "variables for ${env:NAME}; the environment wins (default: sentinel.env beside it)";
  return new Option("--env-file <file>", what);
}

/** Adds what a gateway's management API listens with; handlers read it as `managementHost` and so on. */
export function withListener<Of extends CommandUnknownOpts>(command: Of): Of {
  return withManagement(command, {
    host: "address of the management API; wins over the file",
    port: "port of the management API; wins over the file",
    tokenEnv: "variable that holds an admin token",
    cert: "its certificate (PEM)",
    key: "its key (PEM)",
    ca: "authority whose client certificates are required (PEM)",
  });
}

/** Adds where and how to reach the management API of a gateway. */
export function withTarget<Of extends CommandUnknownOpts>(command: Of): Of {
  takesProfile(command);
  return withManagement(command, {
    host: "where the gateway's management API is, instead of a profile",
    port: "its port",
    tokenEnv: "variable that holds the token",
    cert: "our client certificate (PEM)",
    key: "our key (PEM)",
    ca: "authority of the gateway's certificate (PEM)",
  });
}

type Abouts = Readonly<Record<"host" | "port" | "tokenEnv" | "cert" | "key" | "ca", string>>;

function withManagement<Of extends CommandUnknownOpts>(command: Of, abouts: Abouts): Of {
  const options = [
    new Option("--management-host <host>", abouts.host),
    new Option("--management-port <port>", abouts.port).argParser(port),
    new Option("--management-token-env <name>", abouts.tokenEnv),
    new Option("--management-tls-cert <file>", abouts.cert),
    new Option("--management-tls-key <file>", abouts.key),
    new Option("--management-mtls-ca <file>", abouts.ca),
  ];
  for (const option of options) command.addOption(option.helpGroup("Management:"));
  return command;
}

function port(text: string): string {
  if (/^\d{1,5}$/.test(text) && Number(text) <= HIGHEST_PORT) return text;
  throw new InvalidArgumentError("Write a number from 0 to 65535.");
}

/** Filter and bounds of a list. */
export function filterOption() {
  return new Option("--filter <text>", "such as  state:ready -name:test*");
}

export function limitOption() {
  return new Option("-n, --limit <count>", "print at most so many").argParser((text) => {
    if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
    throw new InvalidArgumentError("Write a number from 1 to 999999.");
  });
}

export function wideOption() {
  return new Option("-o, --output <form>", "wide: more columns, nothing cut").choices(
    ["wide"] as const,
  );
}

export function yesOption() {
  return new Option("-y, --yes", "do not ask");
}

export function reasonOption() {
  return new Option("--reason <text>", "why; callers are told");
}
