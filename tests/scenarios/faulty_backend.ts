/** A legacy backend over HTTP that does to calls what the test says, and notes what reaches it. */
import type { ServerResponse } from "node:http";
import { bodyOf, type HttpFixture, serveHttp } from "../support/http_fixture.ts";
import type { Rpc } from "../support/http_session.ts";

/** What happens to one call. */
export type Fate = (response: ServerResponse, message: Rpc) => void | Promise<void>;

export interface FaultyBackend extends HttpFixture {
  /** `method name` of each call, in order. */
  readonly reached: string[];
  /** Pings that came. */
  readonly pings: () => number;
  /** Decides all calls from now on. */
  fate: Fate;
  /** Decides all pings from now on. */
  pingFate: Fate;
  /** Decides all handshakes from now on. */
  helloFate: Fate;
  /** Forgets its sessions, as a restart does. */
  restart(): void;
}

const CAPABILITIES = { tools: {}, resources: { subscribe: true }, logging: {} };
const RESULTS: Readonly<Record<string, unknown>> = {
  "tools/call": { content: [{ type: "text", text: "done" }] },
  "resources/read": { contents: [{ uri: "doc:a", text: "done" }] },
};

export async function serveFaulty(): Promise<FaultyBackend> {
  let [session, pings] = [1, 0];
  const greet: Fate = (response, message) => {
    const headers = { "mcp-session-id": `session-${session}` };
    return answer(response, message, greeting(), headers);
  };
  const state = { fate: well, pingFate: well, helloFate: greet };
  const reached: string[] = [];

  function serve(response: ServerResponse, message: Rpc): void | Promise<void> {
    const { method = "", params } = message;
    if (method === "ping") {
      pings++;
      return state.pingFate(response, message);
    }
    if (method !== "tools/call" && !method.startsWith("resources/")) {
      return answer(response, message, {});
    }
    if (method === "resources/list") {
      return answer(response, message, { resources: [{ uri: "doc:a", name: "a" }] });
    }
    if (method === "resources/templates/list") {
      return answer(response, message, { resourceTemplates: [] });
    }
    const { name, uri } = params as { name?: string; uri?: string };
    reached.push(`${method} ${name ?? uri}`);
    return state.fate(response, message);
  }

  const server = await serveHttp(async (request, response) => {
    if (request.method === "GET") return void response.writeHead(405).end();
    if (request.method === "DELETE") return void response.writeHead(200).end();
    // The gateway may take its request back at any time.
    const text = await bodyOf(request).catch(() => undefined);
    if (text === undefined) return;
    const message = JSON.parse(text) as Rpc;
    const named = request.headers["mcp-session-id"];
    if (message.method === "initialize") {
      return await state.helloFate(response, message);
    }
    // No answer of the modern era: it is a legacy server.
    if (message.method === "server/discover") return void response.writeHead(400).end();
    if (named !== `session-${session}`) return void response.writeHead(404).end();
    if (message.id === undefined) return void response.writeHead(202).end();
    if (message.method === "tools/list") return answer(response, message, { tools: TOOLS });
    await serve(response, message);
  }, "/mcp");
  let closing: Promise<void> | undefined;
  const close = () => closing ??= server.close();
  return Object.assign(state, {
    url: server.url,
    close,
    [Symbol.asyncDispose]: close,
    reached,
    pings: () => pings,
    restart: () => void session++,
  });
}

const TOOLS = ["a", "b", "get_c"].map((name) => ({ name, inputSchema: { type: "object" } }));

function greeting() {
  return {
    protocolVersion: "2025-11-25",
    capabilities: CAPABILITIES,
    serverInfo: { name: "faulty", version: "1" },
  };
}

function answer(
  response: ServerResponse,
  { id }: Rpc,
  result: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(200, { "content-type": "application/json", ...headers })
    .end(JSON.stringify({ jsonrpc: "2.0", id, result }));
}

/** Answers as it should. */
export const well: Fate = (response, message) =>
  answer(response, message, RESULTS[message.method ?? ""] ?? {});

/** A JSON-RPC error. */
export const error = (code: number): Fate => (response, { id }) => {
  response.writeHead(200, { "content-type": "application/json" })
    .end(JSON.stringify({ jsonrpc: "2.0", id, error: { code, message: "no" } }));
};

/** A result that says that the tool failed. */
export const toolError: Fate = (response, message) =>
  answer(response, message, { content: [], isError: true });

/** An HTTP status and nothing else. */
export const status = (code: number, headers: Record<string, string> = {}): Fate => (response) => {
  response.writeHead(code, headers).end();
};

/** Never answers. */
export const hang: Fate = () => {};
