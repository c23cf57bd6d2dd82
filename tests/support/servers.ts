/**
 * Published MCP servers, installed in `tests/servers`. They run on the pinned Node whatever runs the
 * test, and reach no network: where a server has an API behind it, its address is a closed port.
 */
import { existsSync } from "node:fs";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { RunningProgram } from "./running_program.ts";
import { type Command, executable, REPOSITORY } from "./runtime.ts";

/** Nothing listens here: refused at once, whatever network there is. */
const NOWHERE = "http://127.0.0.1:1";
/** Files that no server writes to. */
const DRIVER = join(REPOSITORY, "tests", "servers", "sqlite3_driver");
const ENTRY_POINTS = {
  everything: "@modelcontextprotocol/server-everything/dist/index.js",
  filesystem: "@modelcontextprotocol/server-filesystem/dist/index.js",
  memory: "@modelcontextprotocol/server-memory/dist/index.js",
  thinking: "@modelcontextprotocol/server-sequential-thinking/dist/index.js",
  context7: "@upstash/context7-mcp/dist/index.js",
  firecrawl: "firecrawl-mcp/dist/index.js",
  exa: "exa-mcp-server/dist/stdio.cjs",
  playwright: "@playwright/mcp/cli.js",
  sqlite: "mcp-server-sqlite-npx/dist/index.js",
  n8n: "n8n-mcp/dist/mcp/index.js",
  conformance: "@modelcontextprotocol/conformance/dist/index.js",
  conformanceModern: "conformance-modern/dist/index.js",
  inspector: "@modelcontextprotocol/inspector/clients/launcher/build/index.js",
} as const;

export type Package = keyof typeof ENTRY_POINTS;

/** How to start the program of an installed package. */
export function packaged(name: Package, args: readonly string[] = []): Command {
  const file = join(REPOSITORY, "tests", "servers", "node_modules", ENTRY_POINTS[name]);
  if (!existsSync(file)) {
    throw new Error(`Run "npm ci" in tests/servers first: "${file}" is missing`);
  }
  return { command: executable("node"), args: [file, ...args] };
}

/** A stdio server as `[backends.NAME]` has it. */
export interface StdioServer extends Command {
  readonly env: Readonly<Record<string, string>>;
}

/** A tool call that answers the same on every machine, without a network. */
export interface SampleCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export interface SampledServer extends StdioServer {
  readonly call: SampleCall;
}

/** The stdio servers with a sample call each; `directory` holds the files they work on. */
export function stdioServers(directory: string) {
  const server = (
    name: Package,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    call: SampleCall,
  ): SampledServer => ({ ...packaged(name, args), env, call });
  return {
    everything: server("everything", ["stdio"], {}, {
      name: "get-structured-content",
      arguments: { location: "Chicago" },
    }),
    filesystem: server("filesystem", [DRIVER], {}, {
      name: "read_text_file",
      arguments: { path: join(DRIVER, "package.json") },
    }),
    memory: server("memory", [], { MEMORY_FILE_PATH: join(directory, "memory.jsonl") }, {
      name: "read_graph",
      arguments: {},
    }),
    thinking: server("thinking", [], { DISABLE_THOUGHT_LOGGING: "true" }, {
      name: "sequentialthinking",
      arguments: { thought: "One", nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 1 },
    }),
    context7: server("context7", [], { CONTEXT7_API_URL: NOWHERE }, {
      name: "query-docs",
      arguments: { libraryId: "/vercel/next.js", query: "routing" },
    }),
    firecrawl: server("firecrawl", [], {
      FIRECRAWL_API_KEY: "fc-key-of-the-tests",
      FIRECRAWL_API_URL: NOWHERE,
    }, {
      name: "firecrawl_map",
      arguments: { url: "https://example.com" },
    }),
    exa: server("exa", [], {
      EXA_API_KEY: "exa-key-of-the-tests",
      NODE_USE_ENV_PROXY: "1",
      HTTPS_PROXY: NOWHERE,
    }, {
      name: "web_fetch_exa",
      arguments: { urls: ["https://example.com"] },
    }),
    playwright: server(
      "playwright",
      ["--headless", "--isolated", "--browser=chromium"],
      { PLAYWRIGHT_BROWSERS_PATH: directory },
      { name: "browser_close", arguments: {} },
    ),
    sqlite: server("sqlite", [join(directory, "sample.db")], {}, {
      name: "read_query",
      arguments: { query: "SELECT 1 AS number, 'one' AS word" },
    }),
  };
}

/** A server that was started on a free port. */
export interface HttpServer {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Kills it: asked politely, n8n-mcp waits for idle connections to close. */
  stop(): Promise<unknown>;
}

/** server-everything over Streamable HTTP (`/mcp`) or HTTP+SSE (`/sse`). */
export function startEverything(transport: "streamableHttp" | "sse"): Promise<HttpServer> {
  return startOnFreePort(async (port) => {
    const program = new RunningProgram(
      packaged("everything", [transport]),
      env({ PORT: String(port) }),
    );
    await program.printed(/(listening|running) on port/);
    const path = transport === "sse" ? "/sse" : "/mcp";
    return { url: `http://127.0.0.1:${port}${path}`, headers: {}, stop: () => program.kill() };
  });
}

/** n8n-mcp in HTTP mode; `home` is where it keeps its files. */
export function startN8n(home: string): Promise<HttpServer> {
  const token = "n8n-mcp-token-of-the-tests-0123456789";
  return startOnFreePort(async (port) => {
    const program = new RunningProgram(
      packaged("n8n"),
      env({
        HOME: home,
        MCP_MODE: "http",
        HOST: "127.0.0.1",
        PORT: String(port),
        AUTH_TOKEN: token,
        N8N_MCP_TELEMETRY_DISABLED: "true",
      }),
    );
    await program.printed(/MCP endpoint:/);
    return {
      url: `http://127.0.0.1:${port}/mcp`,
      headers: { Authorization: `Bearer ${token}` },
      stop: () => program.kill(),
    };
  });
}

/** Runs a packaged command-line client to its end; `ms` bounds it. */
export async function runPackaged(
  name: Package,
  args: readonly string[],
  home: string,
  ms: number,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const program = new RunningProgram(packaged(name, args), env({ HOME: home }));
  const timer = setTimeout(() => void program.kill(), ms);
  const { code } = await program.exited;
  clearTimeout(timer);
  return { code, stdout: program.stdout, stderr: program.stderr };
}

/** Another process may take the port before the server does: three tries. */
async function startOnFreePort(start: (port: number) => Promise<HttpServer>): Promise<HttpServer> {
  for (let left = 2;; left--) {
    try {
      return await start(await freePort());
    } catch (cause) {
      if (left === 0 || !String(cause).includes("in use")) throw cause;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function env(own: Record<string, string>): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], HOME: process.env["HOME"], ...own };
}
