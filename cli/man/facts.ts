/** What manual page and reference say beside the tree of commands. */
import type { EXIT } from "../exit.ts";

export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: "done",
  failed: "the operation failed: a backend refused, a reload was rejected, a policy denies",
  usage: "wrong usage: an unknown option, a missing argument",
  badConfig: "the configuration is wrong",
  unreachable: "the gateway cannot be reached, or did not answer in time",
  unauthorized: "not signed in, the scope is too small, or the token would be refused",
  unhealthy: "reached, but not well: `status` and `doctor` found failures",
  different: "there are differences: `diff`",
  unsafe: "the start was refused as unsafe",
  interrupted: "interrupted by Ctrl-C",
  terminated: "terminated, after calls were drained",
};

interface Variable {
  readonly name: string;
  readonly about: string;
}

/** Variables that commands and gateways look at, beside those of the configuration's references. */
export const VARIABLES: readonly Variable[] = [
  { name: "XDG_CONFIG_HOME", about: "where profiles and the configuration are looked for" },
  { name: "XDG_STATE_HOME", about: "where gateways keep what outlives them" },
  { name: "SENTINEL_TOKEN", about: "token of a client: `stdio`, `tools call`" },
  { name: "NO_COLOR", about: "no color" },
  { name: "FORCE_COLOR", about: "color where nobody is at a terminal" },
  { name: "TERM", about: "no color when it is `dumb`" },
];

/** Keys of the configuration as variables. */
export const KEY_VARIABLES =
  "A key of the configuration may be set by a variable: `SENTINEL_` and the key in capitals, such as " +
  "`SENTINEL_SERVER_LISTEN`. Options win over variables, variables over the file; `mcp-sentinel config " +
  "explain KEY` says which of them won.";

export const FILES: readonly Variable[] = [
  { name: "sentinel.toml", about: "configuration, in the current folder" },
  { name: "~/.config/mcp-sentinel/sentinel.toml", about: "configuration of a user" },
  { name: "/etc/mcp-sentinel/sentinel.toml", about: "configuration of a machine" },
  { name: "~/.config/mcp-sentinel/profiles.toml", about: "gateways by name" },
  { name: "~/.local/state/mcp-sentinel", about: "journal, audit and state of gateways" },
];

export const EXAMPLES: readonly Variable[] = [
  {
    name: "mcp-sentinel up -- npx -y @modelcontextprotocol/server-everything",
    about: "starts a gateway without a file",
  },
  { name: "mcp-sentinel init && mcp-sentinel validate && mcp-sentinel server", about: "with one" },
  { name: "mcp-sentinel status --watch", about: "watches it" },
  { name: "mcp-sentinel policy test developer gh__merge", about: "asks who may call what" },
  { name: "mcp-sentinel tools call everything__echo message=hello", about: "calls a tool" },
];
