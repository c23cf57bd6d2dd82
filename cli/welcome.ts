import { columns, type Output } from "./output.ts";
import { runtimeName, VERSION } from "./version.ts";

/** A gateway that has just started. */
export interface Started {
  readonly url: string;
  /** Base URL of the management API. */
  readonly management: string | undefined;
  readonly file: string | undefined;
  readonly backends: readonly string[];
  readonly name: string;
}

/** Tells where the endpoint is and what to do next. */
export function welcome(started: Started, output: Output): void {
  const { url, management, file, backends, name } = started;
  const { paint } = output;
  const source = file ?? "no config file, using safe defaults";
  output.line(`  ${paint("strong", `mcp-sentinel ${VERSION}`)} · ${runtimeName()} · ${source}`);
  output.line();
  const endpoint = `${paint("strong", url)}   ${paint("faint", "(this machine only, no sign-in)")}`;
  const names = backends.length === 0 ? "none yet" : backends.join(", ");
  const rows: [string, string][] = [["MCP endpoint", endpoint], ["Backends", names]];
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
