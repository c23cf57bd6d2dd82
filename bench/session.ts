import { Connection } from "./connection.ts";
import { BenchError } from "./errors.ts";
import { headerValue, type HttpReply } from "./reply_reader.ts";

const REVISION = "2025-11-25";

/** Where the calls of one client come from; they may go out on any connection to its target. */
export interface Client {
  /** The text of one POST; `message` must be ASCII. */
  request(message: string): string;
  /**
   * The exposed name of a tool: gateways put a prefix before the backend's own.
   * @throws BenchError when the target lists nothing (a gateway whose backend still starts), or not this
   */
  toolName(connection: Connection, wanted: string): Promise<string>;
}

/** One MCP session over Streamable HTTP. */
export class Session implements Client {
  readonly #head: string;

  private constructor(head: string, id: string | undefined, revision: string) {
    const session = id === undefined ? "" : `mcp-session-id: ${id}\r\n`;
    this.#head = `${head}mcp-protocol-version: ${revision}\r\n${session}`;
  }

  /**
   * Shakes hands: `initialize`, then `notifications/initialized`.
   * @param headers Lines of the head of every request, each with CRLF.
   * @throws BenchError when the target does not answer them properly.
   */
  static async open(url: URL, connection: Connection, headers = ""): Promise<Session> {
    const head = requestHead(url) + headers;
    const reply = await connection.exchange(withBody(head, INITIALIZE));
    const result = resultOf(reply, 0);
    const revision = result["protocolVersion"] as string;
    const session = new Session(head, headerValue(reply.head, "mcp-session-id"), revision);
    const accepted = await connection.exchange(session.request(INITIALIZED));
    if (accepted.status === 202) return session;
    throw new BenchError(`Cannot open session: "initialized" got status ${accepted.status}`);
  }

  request(message: string): string {
    return withBody(this.#head, message);
  }

  /** The text of a request without a body: `GET` opens the standing stream, `DELETE` ends the session. */
  bare(method: "GET" | "DELETE"): string {
    return `${this.#head.replace("POST", method)}\r\n`;
  }

  toolName(connection: Connection, wanted: string): Promise<string> {
    const list = this.request(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`);
    return listedName(connection, list, wanted);
  }
}

/** A client without a session: each request says everything itself (revision 2026-07-28). */
export class ModernClient implements Client {
  readonly #head: string;

  /** @param headers Lines of the head of every request, each with CRLF. */
  constructor(url: URL, headers = "") {
    this.#head = `${requestHead(url)}${headers}mcp-protocol-version: ${MODERN}\r\n`;
  }

  request(message: string): string {
    const name = NAME.exec(message)?.[1] ?? "";
    const head = `${this.#head}mcp-method: tools/call\r\nmcp-name: ${name}\r\n`;
    return withBody(head, message.replace(PARAMS, `${PARAMS}${ENVELOPE},`));
  }

  toolName(connection: Connection, wanted: string): Promise<string> {
    const list = `{"jsonrpc":"2.0","id":1,"method":"tools/list",${PARAMS}${ENVELOPE}}}`;
    const request = withBody(`${this.#head}mcp-method: tools/list\r\n`, list);
    return listedName(connection, request, wanted);
  }
}

const MODERN = "2026-07-28";
const NAME = /"name":"([^"]*)"/;
const PARAMS = '"params":{';
const META = "io.modelcontextprotocol";
const ENVELOPE = `"_meta":{"${META}/protocolVersion":"${MODERN}",` +
  `"${META}/clientInfo":{"name":"bench","version":"1"},"${META}/clientCapabilities":{}}`;

async function listedName(
  connection: Connection,
  request: string,
  wanted: string,
): Promise<string> {
  const { tools } = resultOf(await connection.exchange(request), 1);
  const names = (tools as readonly { name: string }[]).map((tool) => tool.name);
  const name = names.find((candidate) => candidate.endsWith(wanted));
  if (name !== undefined) return name;
  throw new BenchError(`Cannot find tool "${wanted}": the target lists "${names.join()}"`);
}

const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: {
    protocolVersion: REVISION,
    capabilities: {},
    clientInfo: { name: "bench", version: "1" },
  },
});
const INITIALIZED = `{"jsonrpc":"2.0","method":"notifications/initialized"}`;

function requestHead(url: URL): string {
  return `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\n` +
    "content-type: application/json\r\naccept: application/json, text/event-stream\r\n";
}

function withBody(head: string, body: string): string {
  return `${head}content-length: ${body.length}\r\n\r\n${body}`;
}

/**
 * The result of a reply.
 * @throws BenchError unless it has status 200, answers request `id` as JSON or event, and is no error.
 */
export function resultOf(reply: HttpReply, id: number): Record<string, unknown> {
  if (reply.status === 200) {
    const message = parse(reply.body);
    if (message?.id === id && message.result?.["isError"] !== true && message.result) {
      return message.result;
    }
  }
  const got = `status ${reply.status}, ${reply.body.slice(0, 200)}`;
  throw new BenchError(`Cannot use reply to request ${id}: ${got}`);
}

interface ReplyMessage {
  readonly id?: unknown;
  readonly result?: Record<string, unknown>;
}

function parse(body: string): ReplyMessage | undefined {
  try {
    return JSON.parse(body.startsWith("{") ? body : lastEvent(body)) as ReplyMessage;
  } catch {
    return undefined; // the caller names the text it could not use
  }
}

/** A server may answer any call with an event stream; its last event is the answer. */
function lastEvent(stream: string): string {
  const start = stream.lastIndexOf("\ndata: ");
  return start < 0 ? "" : stream.slice(start + 7, stream.indexOf("\n", start + 7));
}
