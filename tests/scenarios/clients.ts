/** Clients on the official SDK that hand results over as they came, without the SDK's own schemas. */
import {
  Client,
  ResultSchema,
  SSEClientTransport,
  StdioClientTransport,
  StreamableHTTPClientTransport,
  type Transport,
} from "../support/sdk.ts";

export type Json = Record<string, unknown>;

/** Everything a client can be asked for; what the gateway declares to a backend on a client's behalf. */
export const INTERACTIVE = {
  elicitation: { form: {}, url: {} },
  sampling: { tools: {} },
  roots: {},
};

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds; the SDK's default is a minute. */
  readonly timeout?: number;
  readonly onprogress?: (progress: { progress: number; total?: number | undefined }) => void;
}

/** A client that has not connected yet, so that handlers can be set first. */
export function createClient(capabilities: Json = {}): Client {
  return new Client({ name: "scenario", version: "1.0.0" }, { capabilities });
}

/** Where a client connects. */
export type Address =
  | { readonly http: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly sse: string }
  | {
    readonly command: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  };

export async function connect(
  address: Address,
  client: Client = createClient(),
): Promise<Client> {
  await client.connect(transportTo(address));
  return client;
}

function transportTo(address: Address): Transport {
  if ("http" in address) {
    return new StreamableHTTPClientTransport(new URL(address.http), {
      requestInit: { headers: { ...address.headers } },
    }) as Transport;
  }
  if ("sse" in address) return new SSEClientTransport(new URL(address.sse));
  const { command, args, env } = address;
  return new StdioClientTransport({ command, args: [...args], env: { ...env }, stderr: "ignore" });
}

/** Every tool, over all pages. */
export async function listTools(client: Client): Promise<Json[]> {
  const tools: Json[] = [];
  let cursor: unknown;
  do {
    const page: Json = await client.request({
      method: "tools/list",
      params: cursor === undefined ? {} : { cursor: String(cursor) },
    }, ResultSchema);
    tools.push(...page["tools"] as Json[]);
    cursor = page["nextCursor"];
  } while (cursor !== undefined);
  return tools;
}

export function callTool(
  client: Client,
  name: string,
  args: Readonly<Json> = {},
  options: CallOptions = {},
): Promise<Json> {
  const request = { method: "tools/call" as const, params: { name, arguments: { ...args } } };
  return client.request(request, ResultSchema, options);
}

/** The text blocks of a result, joined. */
export function textOf(result: Json): string {
  const blocks = result["content"] as { text?: string }[];
  return blocks.map((block) => block.text ?? "").join("\n");
}
