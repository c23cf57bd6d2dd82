/** The official clients behind one interface, so that one program of rows runs with each. */
import {
  type Client,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ResultSchema,
  StreamableHTTPClientTransport,
} from "../../support/sdk.ts";
import {
  ClientV2,
  StdioClientTransportV2,
  StreamableHTTPClientTransportV2,
} from "../../support/sdk_v2.ts";
import { type Address, callTool, connect, createClient, listTools, textOf } from "../clients.ts";
import type { ClientName } from "./table.ts";

export interface ToolCall {
  readonly name: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
  readonly onprogress?: (progress: { readonly progress: number }) => void;
  /** Whether info messages are wanted during the call; none without. */
  readonly logs?: boolean;
}

export interface EraClient {
  /** What it answers when it is asked, for a name or for a sample. */
  answer: string;
  /** Texts of the log messages it got. */
  readonly logs: readonly string[];
  /** Methods of all other notifications it got. */
  readonly events: readonly string[];
  /** The text of the result. */
  call(call: ToolCall): Promise<string>;
  toolNames(): Promise<readonly string[]>;
  read(uri: string): Promise<string>;
  complete(prompt: string, prefix: string): Promise<readonly string[]>;
  /** The returned function ends the watch; legacy clients hear of changes without asking. */
  watchTools(): Promise<() => Promise<unknown>>;
  watchResource(uri: string): Promise<() => Promise<unknown>>;
  /** Ends its connections without a word. */
  vanish(): Promise<void>;
  /** Ends them in order: a legacy client ends its session too. */
  leave(): Promise<void>;
}

type ModernName = Exclude<ClientName, "v1">;

interface Heard {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

const CAPABILITIES = { elicitation: { form: {} }, sampling: {} };
const LOG_LEVEL = "io.modelcontextprotocol/logLevel";
const CHANGES = [
  "notifications/tools/list_changed",
  "notifications/resources/updated",
] as const;

export function connectClient(name: ClientName, address: Address): Promise<EraClient> {
  return name === "v1" ? LegacyClient.connect(address) : ModernClient.connect(name, address);
}

class LegacyClient implements EraClient {
  answer = "";
  readonly logs: string[] = [];
  readonly events: string[] = [];
  readonly #client: Client = createClient(CAPABILITIES);

  static async connect(address: Address): Promise<EraClient> {
    const self = new LegacyClient();
    const client = self.#client;
    client.setRequestHandler(
      ElicitRequestSchema,
      () => ({ action: "accept", content: { name: self.answer } }),
    );
    client.setRequestHandler(CreateMessageRequestSchema, () => self.#sample());
    client.fallbackNotificationHandler = (notification) => self.#heard(notification);
    await connect(address, client);
    return self;
  }

  async call({ name, args, logs, ...options }: ToolCall): Promise<string> {
    if (logs !== undefined) await this.#client.setLoggingLevel(logs ? "info" : "error");
    return textOf(await callTool(this.#client, name, args, options));
  }

  async toolNames(): Promise<readonly string[]> {
    return (await listTools(this.#client)).map((tool) => String(tool["name"]));
  }

  async read(uri: string): Promise<string> {
    const { contents } = await this.#client.readResource({ uri });
    return textIn(contents);
  }

  async complete(name: string, value: string): Promise<readonly string[]> {
    const { completion } = await this.#client.complete({
      ref: { type: "ref/prompt", name },
      argument: { name: "name", value },
    });
    return completion.values;
  }

  watchTools(): Promise<() => Promise<unknown>> {
    return Promise.resolve(() => Promise.resolve());
  }

  async watchResource(uri: string): Promise<() => Promise<unknown>> {
    await this.#client.subscribeResource({ uri });
    return () =>
      this.#client.request({ method: "resources/unsubscribe", params: { uri } }, ResultSchema);
  }

  vanish(): Promise<void> {
    return this.#client.close();
  }

  async leave(): Promise<void> {
    const { transport } = this.#client;
    if (transport instanceof StreamableHTTPClientTransport) await transport.terminateSession();
    await this.#client.close();
  }

  #sample(): { role: "assistant"; model: string; content: { type: "text"; text: string } } {
    return { role: "assistant", model: "none", content: { type: "text", text: this.answer } };
  }

  #heard({ method, params }: Heard): Promise<void> {
    if (method === "notifications/message") this.logs.push(String(params?.["data"]));
    else this.events.push(method);
    return Promise.resolve();
  }
}

class ModernClient implements EraClient {
  answer = "";
  readonly logs: string[] = [];
  readonly events: string[] = [];
  readonly #client: ClientV2;

  constructor(name: ModernName) {
    const mode = name === "v2 auto" ? "auto" as const : { pin: "2026-07-28" };
    this.#client = new ClientV2({ name, version: "1.0.0" }, {
      capabilities: CAPABILITIES,
      versionNegotiation: { mode },
    });
  }

  static async connect(name: ModernName, address: Address): Promise<EraClient> {
    const self = new ModernClient(name);
    const client = self.#client;
    client.setRequestHandler(
      "elicitation/create",
      () => ({ action: "accept", content: { name: self.answer } }),
    );
    client.setRequestHandler("sampling/createMessage", () => ({
      role: "assistant",
      model: "none",
      content: { type: "text", text: self.answer },
    }));
    client.setNotificationHandler(
      "notifications/message",
      ({ params }) => void self.logs.push(String(params.data)),
    );
    for (const method of CHANGES) {
      client.setNotificationHandler(method, () => void self.events.push(method));
    }
    await client.connect(transportTo(address));
    const era = client.getProtocolEra();
    if (era !== "modern") throw new Error(`The client took the server for ${era}`);
    return self;
  }

  async call({ name, args = {}, logs, ...options }: ToolCall): Promise<string> {
    const _meta = logs === true ? { [LOG_LEVEL]: "info" as const } : {};
    const result = await this.#client.callTool({ name, arguments: { ...args }, _meta }, options);
    return textOf(result);
  }

  async toolNames(): Promise<readonly string[]> {
    const { tools } = await this.#client.listTools({}, { cacheMode: "refresh" });
    return tools.map((tool) => tool.name);
  }

  async read(uri: string): Promise<string> {
    const { contents } = await this.#client.readResource({ uri }, { cacheMode: "refresh" });
    return textIn(contents);
  }

  async complete(name: string, value: string): Promise<readonly string[]> {
    const { completion } = await this.#client.complete({
      ref: { type: "ref/prompt", name },
      argument: { name: "name", value },
    });
    return completion.values;
  }

  async watchTools(): Promise<() => Promise<unknown>> {
    const listen = await this.#client.listen({ toolsListChanged: true });
    return () => listen.close();
  }

  async watchResource(uri: string): Promise<() => Promise<unknown>> {
    const listen = await this.#client.listen({ resourceSubscriptions: [uri] });
    const honoured = listen.honoredFilter.resourceSubscriptions ?? [];
    if (!honoured.includes(uri)) throw new Error(`The subscription to ${uri} was not honoured`);
    return () => listen.close();
  }

  vanish(): Promise<void> {
    return this.#client.close();
  }

  leave(): Promise<void> {
    return this.#client.close();
  }
}

function transportTo(address: Address): StreamableHTTPClientTransportV2 | StdioClientTransportV2 {
  if ("http" in address) {
    return new StreamableHTTPClientTransportV2(new URL(address.http), { fetch: fetchClosing });
  }
  if ("sse" in address) throw new Error("HTTP+SSE is of the legacy era");
  const { command, args, env } = address;
  return new StdioClientTransportV2({ command, args: [...args], env: { ...env } });
}

function textIn(contents: readonly object[]): string {
  return contents.map((part) => "text" in part ? String(part.text) : "").join("\n");
}

/**
 * Deno now and then keeps the connection of a fetch that is aborted once its answer has begun; what cancels the
 * body closes it.
 */
async function fetchClosing(url: string | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  const reader = response.body?.getReader();
  if (reader === undefined) return response;
  const end = () => void reader.cancel().catch(() => {});
  init?.signal?.addEventListener("abort", end, { once: true });
  if (init?.signal?.aborted === true) end();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}
