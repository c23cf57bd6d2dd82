/** The paths of the data plane: an exact switch, and the names of what is served there. */

export const ENDPOINTS = [
  "mcp",
  "toolset",
  "sse",
  "messages",
  "websocket",
  "metadata",
  "health",
  "ready",
] as const;

export type Endpoint = (typeof ENDPOINTS)[number];

export interface EndpointOptions {
  /** Path of Streamable HTTP. */
  readonly path: string;
  readonly legacySse: boolean;
  readonly websocket: boolean;
  /** True for a name of `[toolsets]`. */
  readonly hasToolset: (name: string) => boolean;
}

/** Of WebSocket connections. */
export const WEBSOCKET_PATH = "/ws";

/** What a path (without query) leads to; undefined where nothing is. */
export function endpointAt(
  path: string,
  { path: mcp, legacySse, websocket, hasToolset }: EndpointOptions,
): Endpoint | undefined {
  if (path === mcp) return "mcp";
  if (path.startsWith("/.well-known/")) return "metadata";
  if (path === "/health") return "health";
  if (path === "/ready") return "ready";
  if (path.startsWith(mcp) && path[mcp.length] === "/") {
    return hasToolset(path.slice(mcp.length + 1)) ? "toolset" : undefined;
  }
  if (path === WEBSOCKET_PATH) return websocket ? "websocket" : undefined;
  if (!legacySse) return undefined;
  if (path === "/sse") return "sse";
  return path === "/messages/" || path === "/messages" ? "messages" : undefined;
}
