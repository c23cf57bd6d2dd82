import { ANY, type KeyNode } from "../contract/config/tree.ts";
import { CONFIG_TREE } from "./parse.ts";
import { tomlKey, tomlValue } from "./toml.ts";

const HEAD =
  `# MCP Sentinel. Nothing here is required: a line that is commented out shows the default.
# Explain a key: mcp-sentinel config explain server.listen     Check this file: mcp-sentinel validate
version = 1
`;

const BACKENDS = `# ${"─".repeat(78)}
# The MCP servers behind the gateway: url = HTTP server, command = local process.
# Secrets stay outside: \${env:NAME} or \${file:PATH}.

# [backends.context7]
# command = "npx"
# args = ["-y", "@upstash/context7-mcp@2.1.0"]
# env = { CONTEXT7_API_KEY = "\${env:CONTEXT7_API_KEY}" }

# [backends.n8n]
# url = "https://n8n.example.com/mcp"
# headers = { Authorization = "Bearer \${env:N8N_TOKEN}" }
# timeout = "30s"

# [backends.n8n.tools]
# deny = ["delete_*"]

# Named views of all tools, served under /mcp/<name>.
# [toolsets.reading]
# tools = ["context7__*", "n8n__get_*"]
`;

/** Written out, because these are the first things people look for. */
const ACTIVE = new Set(["server.listen"]);

/** A commented `sentinel.toml` that parses to exactly the built-in defaults. */
export function configTemplate(): string {
  const sections = [...CONFIG_TREE.children.values()]
    .filter((node) => node.kind === "table" && !node.later);
  const [server, ...others] = sections.map(sectionText);
  return [HEAD, server, BACKENDS, ...others].join("\n");
}

function sectionText(node: KeyNode): string {
  const line = `# ${"─".repeat(78)}\n# ${node.meta?.about}`;
  return `${line}\n\n${tableText(node)}`;
}

/** The keys of a table, then the tables in it. */
function tableText(node: KeyNode): string {
  const shown = [...node.children].filter(([, child]) => !child.later && hasLine(child));
  const lines = shown.map(([name, child]) => {
    const value = `${tomlKey(name)} = ${valueText(child)}`;
    const active = ACTIVE.has(child.path.join("."));
    return `# ${child.meta?.about}\n${active ? "" : "# "}${value}\n`;
  });
  const tables = [...node.children.values()]
    .filter((child) => child.kind === "table" && !child.later && child.default !== undefined)
    .filter((child) => !hasLine(child))
    .map(tableText);
  const header = lines.length === 0 ? "" : `[${node.path.join(".")}]\n`;
  return [header + lines.join("\n"), ...tables].filter((text) => text !== "").join("\n");
}

function hasLine(node: KeyNode): boolean {
  if (node.kind === "table") return hasOwnDefault(node);
  return node.kind !== "map" && !node.children.get(ANY)?.children.size;
}

/** A table whose default is more than that of its keys cannot be written key by key. */
function hasOwnDefault({ default: value }: KeyNode): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function valueText(node: KeyNode): string {
  if (node.default === undefined) return `${node.meta?.example}    # no default`;
  return tomlValue(node.default);
}
