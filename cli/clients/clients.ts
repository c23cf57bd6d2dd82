/** The MCP clients we know: where each keeps its servers. One table for `import`, `connect` and `up --from found`. */
import { join } from "node:path";

/** Where a person's files are. */
export interface Places {
  readonly platform: "linux" | "darwin" | "win32";
  readonly home: string;
  /** `$XDG_CONFIG_HOME`, `~/Library/Application Support` or `%APPDATA%`. */
  readonly configHome: string;
  /** Folder of the project. */
  readonly project: string;
}

/** One place in a file of a client where servers are kept. */
export interface ServerPlace {
  /** Absolute path. */
  readonly file: string;
  /** JSON may hold comments and trailing commas. */
  readonly format: "json" | "toml";
  /** Keys that lead to the table of servers by name. */
  readonly at: readonly string[];
  readonly scope: "project" | "user";
}

export interface ClientRow {
  readonly title: string;
  /** In order of precedence: what comes first wins within the client. */
  readonly places: (places: Places) => readonly ServerPlace[];
  /** It opens URLs itself; false: it needs a command to start, which is `mcp-sentinel stdio`. */
  readonly opensUrls: boolean;
}

const SERVERS = ["mcpServers"] as const;

export const CLIENTS = {
  "claude-desktop": {
    title: "Claude Desktop",
    places: ({ configHome }) => [
      user(join(configHome, "Claude", "claude_desktop_config.json"), SERVERS),
    ],
    opensUrls: false,
  },
  "claude-code": {
    title: "Claude Code",
    places: ({ home, project: folder }) => [
      user(join(home, ".claude.json"), ["projects", folder, ...SERVERS]),
      project(join(folder, ".mcp.json"), SERVERS),
      user(join(home, ".claude.json"), SERVERS),
    ],
    opensUrls: true,
  },
  cursor: {
    title: "Cursor",
    places: ({ home, project: folder }) => [
      project(join(folder, ".cursor", "mcp.json"), SERVERS),
      user(join(home, ".cursor", "mcp.json"), SERVERS),
    ],
    opensUrls: true,
  },
  vscode: {
    title: "VS Code",
    places: ({ home, configHome, project: folder }) => [
      project(join(folder, ".vscode", "mcp.json"), ["servers"]),
      user(join(configHome, "Code", "User", "mcp.json"), ["servers"]),
      user(join(home, ".copilot", "mcp-config.json"), SERVERS),
    ],
    opensUrls: true,
  },
  codex: {
    title: "Codex",
    places: ({ home, project: folder }) => [
      { ...project(join(folder, ".codex", "config.toml"), ["mcp_servers"]), format: "toml" },
      { ...user(join(home, ".codex", "config.toml"), ["mcp_servers"]), format: "toml" },
    ],
    opensUrls: true,
  },
  windsurf: {
    title: "Windsurf",
    places: ({ home }) => [user(join(home, ".codeium", "windsurf", "mcp_config.json"), SERVERS)],
    opensUrls: true,
  },
} as const satisfies Readonly<Record<string, ClientRow>>;

export type ClientName = keyof typeof CLIENTS;

function user(file: string, at: readonly string[]): ServerPlace {
  return { file, format: "json", at, scope: "user" };
}

function project(file: string, at: readonly string[]): ServerPlace {
  return { file, format: "json", at, scope: "project" };
}
