import { isLoopback, parseListen } from "../src/contract/config/listen.ts";
import type { Config } from "../src/contract/config.ts";
import { formatDuration } from "../src/contract/units.ts";
import type { FoundCount } from "./found_servers.ts";
import { columns, counted, type Output } from "./output.ts";
import { runtimeName, VERSION } from "./version.ts";

/** A gateway that has just started. */
export interface Started {
  readonly url: string;
  /** Base URL of the management API. */
  readonly management: string | undefined;
  readonly file: string | undefined;
  readonly config: Config;
  /** Servers of clients on this machine that were not started. */
  readonly idle?: FoundCount | undefined;
}

const CLIENTS = "claude-code | claude-desktop | codex | cursor | vscode | windsurf";

const STORES: { readonly [Store in Config["audit"]["store"]]: string } = {
  sqlite: "SQLite",
  postgres: "PostgreSQL",
  stdout: "stdout",
  off: "off",
};

/** Tells where the endpoint is and what to do next. */
export function welcome(started: Started, output: Output): void {
  const { url, management, file, config } = started;
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
  if (started.idle !== undefined) printIdle(started.idle, output);
  for (const row of columns(nextSteps(started))) output.line(row);
  output.line();
}

function nextSteps({ file, config, idle }: Started): [string, string][] {
  const next: [string, string][] = [
    ["Connect a client:", `mcp-sentinel connect ${CLIENTS}`],
  ];
  const hasIdle = idle !== undefined && idle.names.length > 0;
  if (Object.keys(config.backends).length === 0 && !hasIdle) {
    next.push([
      "Add a server:",
      "mcp-sentinel up -- npx -y @modelcontextprotocol/server-everything",
    ]);
  }
  if (file === undefined && !hasIdle) {
    next.push(["Keep it:", "mcp-sentinel init        writes ./sentinel.toml"]);
  }
  return [...next, ["Watch:", "mcp-sentinel status --watch"], ["Stop:", "Ctrl-C"]];
}

function printIdle({ entries, files, names }: FoundCount, output: Output): void {
  if (names.length === 0) return;
  const distinct = names.length === entries ? "" : ` (${names.length} distinct)`;
  const where = counted(files, "client file");
  output.line(`  Found ${counted(entries, "server")} in ${where}${distinct} — not started:`);
  output.line(`    ${names.join(", ")}`);
  const rows: [string, string][] = [
    ["→ start them now:", "mcp-sentinel up --from found"],
    ["→ keep them:", "mcp-sentinel import --write   writes ./sentinel.toml"],
  ];
  for (const row of columns(rows)) output.line(row);
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
