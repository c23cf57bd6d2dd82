import { isLoopback, parseListen } from "../src/contract/config/listen.ts";
import type { Config } from "../src/contract/config.ts";
import { formatDuration } from "../src/contract/units.ts";
import { columns, type Output } from "./output.ts";
import { runtimeName, VERSION } from "./version.ts";

/** A gateway that has just started. */
export interface Started {
  readonly url: string;
  /** Base URL of the management API. */
  readonly management: string | undefined;
  readonly file: string | undefined;
  readonly config: Config;
}

const STORES: { readonly [Store in Config["audit"]["store"]]: string } = {
  sqlite: "SQLite",
  postgres: "PostgreSQL",
  stdout: "stdout",
  off: "off",
};

/** Tells where the endpoint is and what to do next. */
export function welcome(started: Started, output: Output): void {
  const { url, management, file, config } = started;
  const { name } = config.server;
  const backends = Object.keys(config.backends);
  const { paint } = output;
  const source = file ?? "no config file, using safe defaults";
  output.line(`  ${paint("strong", `mcp-sentinel ${VERSION}`)} · ${runtimeName()} · ${source}`);
  output.line();
  const endpoint = `${paint("strong", url)}   ${paint("faint", `(${accessOf(config)})`)}`;
  const names = backends.length === 0 ? "none yet" : backends.join(", ");
  const rows: [string, string][] = [
    ["MCP endpoint", endpoint],
    ["Audit", auditOf(config, paint)],
    ["Backends", names],
  ];
  if (management !== undefined) {
    const found = paint("faint", "(found by this user's commands)");
    rows.splice(1, 0, ["Management", `${management}   ${found}`]);
  }
  for (const row of columns(rows)) output.line(row);
  output.line();
  const next: [string, string][] = [
    ["Connect a client:", `claude mcp add --transport http ${name} ${url}`],
    ["or in its file:", `{ "mcpServers": { "${name}": { "type": "http", "url": "${url}" } } }`],
  ];
  if (backends.length === 0) {
    next.push([
      "Add a server:",
      "mcp-sentinel up -- npx -y @modelcontextprotocol/server-everything",
    ]);
  }
  if (file === undefined) {
    next.push(["Keep it:", "mcp-sentinel init        writes ./sentinel.toml"]);
  }
  next.push(["Watch:", "mcp-sentinel status --watch"], ["Stop:", "Ctrl-C"]);
  for (const row of columns(next)) output.line(row);
  output.line();
}

/** Who can reach the endpoint, and what for. */
function accessOf({ server, auth }: Config): string {
  const { host } = parseListen(server.listen) ?? { host: "" };
  const who = isLoopback(host) ? "this machine only" : "other machines too";
  return `${who}, ${auth.mode === "none" ? "no sign-in" : "sign-in by token"}`;
}

function auditOf({ audit }: Config, paint: Output["paint"]): string {
  const { store, retention } = audit;
  if (store === "off" || store === "stdout") return STORES[store];
  const kept = `${STORES[store]}, ${formatDuration(retention)}`;
  return `${kept}   ${paint("faint", "(mcp-sentinel audit tail)")}`;
}
