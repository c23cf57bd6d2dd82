/** How each client is told of the gateway: its entry, its own command, its install link. One row each. */
import { join } from "node:path";
import type { ClientName, Places, ServerPlace } from "../clients/clients.ts";
import type { Program } from "../self.ts";
import type { Entry } from "./servers_text.ts";

/** How a client reaches the gateway. */
export interface GatewayLink {
  /** Of the entry. */
  readonly name: string;
  readonly url: string;
  /** Variable from which the client takes the token; undefined without sign-in. */
  readonly token: string | undefined;
  /** For clients that open no URLs: the command that brings them there. */
  readonly program: Program;
}

type Scope = ServerPlace["scope"];

interface ConnectRow {
  readonly entry: (link: GatewayLink) => Entry;
  /** Words of the client's own command that adds the entry; undefined where it adds none in that scope. */
  readonly command?: (link: GatewayLink, scope: Scope) => readonly string[] | undefined;
  /** What the client opens to ask whether it may add the entry. */
  readonly link?: (link: GatewayLink) => string;
  /** Paths of which one exists where the client is installed. */
  readonly traces: (places: Places) => readonly string[];
  /** What a person does for the entry to count. */
  readonly next: string;
}

export const CONNECT: Readonly<Record<ClientName, ConnectRow>> = {
  "claude-desktop": {
    // Entries with a URL are refused there.
    entry: ({ program: { command, args } }) => ({ command, args: [...args] }),
    traces: ({ configHome }) => [join(configHome, "Claude")],
    next: "quit Claude Desktop and start it again",
  },
  "claude-code": {
    entry: typedEntry((name) => `\${${name}}`),
    command: ({ name, url, token }, scope) => [
      ...["claude", "mcp", "add", "--transport", "http", "--scope", scope, name, url],
      ...(token === undefined ? [] : ["--header", `Authorization: Bearer \${${token}}`]),
    ],
    traces: ({ home }) => [join(home, ".claude.json"), join(home, ".claude")],
    next: "start Claude Code anew; /mcp shows the server",
  },
  cursor: {
    entry: cursorEntry,
    link: (link) => {
      const config = base64(JSON.stringify(cursorEntry(link)));
      const query = `name=${encodeURIComponent(link.name)}&config=${encodeURIComponent(config)}`;
      return `cursor://anysphere.cursor-deeplink/mcp/install?${query}`;
    },
    traces: ({ home }) => [join(home, ".cursor")],
    next: "Cursor Settings, MCP shows the server",
  },
  vscode: {
    entry: vscodeEntry,
    command: (link, scope) =>
      scope === "user" ? ["code", "--add-mcp", vscodeDefinition(link)] : undefined,
    link: (link) => `vscode:mcp/install?${encodeURIComponent(vscodeDefinition(link))}`,
    traces: ({ home, configHome }) => [join(configHome, "Code"), join(home, ".vscode")],
    next: "MCP: List Servers in VS Code starts and shows it",
  },
  codex: {
    entry: ({ url, token }) => ({
      url,
      ...(token === undefined ? {} : { bearer_token_env_var: token }),
    }),
    command: ({ name, url, token }, scope) => {
      const variable = token === undefined ? [] : ["--bearer-token-env-var", token];
      return scope === "user"
        ? ["codex", "mcp", "add", name, "--url", url, ...variable]
        : undefined;
    },
    traces: ({ home }) => [join(home, ".codex")],
    next: "start Codex anew; /mcp shows the server",
  },
  windsurf: {
    entry: ({ url, token }) => ({ serverUrl: url, ...authorization(token, envVariable) }),
    traces: ({ home }) => [join(home, ".codeium")],
    next: "refresh the MCP servers in Windsurf's settings",
  },
};

/** The way a client writes "the value of this variable". */
type Variable = (name: string) => string;

const envVariable: Variable = (name) => `\${env:${name}}`;

function cursorEntry({ url, token }: GatewayLink): Entry {
  return { url, ...authorization(token, envVariable) };
}

function vscodeEntry(link: GatewayLink): Entry {
  return typedEntry(envVariable)(link);
}

function vscodeDefinition(link: GatewayLink): string {
  return JSON.stringify({ name: link.name, ...vscodeEntry(link) });
}

/** For clients that ask which kind a URL is. */
function typedEntry(variable: Variable): ConnectRow["entry"] {
  return ({ url, token }) => ({ type: "http", url, ...authorization(token, variable) });
}

function authorization(token: string | undefined, variable: Variable): Entry {
  return token === undefined ? {} : { headers: { Authorization: `Bearer ${variable(token)}` } };
}

function base64(text: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text)));
}
