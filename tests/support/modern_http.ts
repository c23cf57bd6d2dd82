/** Raw requests of revision 2026-07-28 over HTTP: shows exactly what is on the wire. */
import type { FetchHandler } from "../../src/core/mod.ts";
import { SystemClock } from "../../src/hosts/clock.ts";
import { serve } from "../../src/hosts/serve.ts";
import type { TestCore } from "./core.ts";
import { messagesOf, post, type Rpc } from "./http_session.ts";

export const MODERN = "2026-07-28";
export const META = "io.modelcontextprotocol";

/** Methods whose target a header repeats, and the parameter it is in. */
const NAMED: Readonly<Record<string, string>> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
  "tasks/get": "taskId",
  "tasks/update": "taskId",
  "tasks/cancel": "taskId",
};

export interface ModernOptions {
  readonly id?: unknown;
  readonly capabilities?: unknown;
  /** Members of `_meta` beside the envelope, or instead of it; undefined removes one. */
  readonly meta?: Readonly<Record<string, unknown>>;
  /** Headers beside those that belong to the request, or instead of them; undefined removes one. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly path?: string;
}

/** What every request of the revision says of itself. */
function envelope(capabilities: unknown = {}): Record<string, unknown> {
  return {
    [`${META}/protocolVersion`]: MODERN,
    [`${META}/clientCapabilities`]: capabilities,
    [`${META}/clientInfo`]: { name: "test", version: "1" },
  };
}

/** The body of a request. */
export function modernBody(
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  { id = 1, capabilities, meta }: ModernOptions = {},
): Record<string, unknown> {
  const _meta = { ...envelope(capabilities), ...meta };
  return { jsonrpc: "2.0", id, method, params: { ...params, _meta } };
}

/** The headers of a request. */
export function modernHeaders(
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  own: ModernOptions["headers"] = {},
): Record<string, string> {
  const name = params[NAMED[method] ?? ""];
  const all = {
    "mcp-protocol-version": MODERN,
    "mcp-method": method,
    "mcp-name": typeof name === "string" ? name : undefined,
    ...own,
  };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Posts a request and gives the answer as it is. */
export function modernPost(
  fetch: FetchHandler,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  options: ModernOptions = {},
): Promise<Response> {
  const headers = modernHeaders(method, params, options.headers);
  return post(fetch, modernBody(method, params, options), headers, options.path);
}

/** The answer to a request, with its status. */
export async function modern(
  fetch: FetchHandler,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  options: ModernOptions = {},
): Promise<{ readonly status: number; readonly answer: Rpc }> {
  const response = await modernPost(fetch, method, params, options);
  return { status: response.status, answer: (await messagesOf(response)).at(-1) as Rpc };
}

/** A core behind the listener of the runtime at hand. */
export interface Served {
  /** Of the Streamable HTTP endpoint. */
  readonly url: string;
  /** Ends the listener and its connections. */
  end(): Promise<void>;
}

export async function served({ core }: TestCore): Promise<Served> {
  const listener = await serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: core.fetch,
    handle: core.handle,
    maxBodyBytes: 4 * 1024 * 1024,
    clock: new SystemClock(),
  });
  return {
    url: `http://127.0.0.1:${listener.port}/mcp`,
    end: async () => {
      const closed = listener.close();
      listener.abort();
      await closed;
    },
  };
}
