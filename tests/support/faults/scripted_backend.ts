/** Backends over HTTP that do as they are told and note every call, in this process. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { bodyOf, type HttpFixture, serveHttp } from "../http_fixture.ts";
import type { RowB } from "./ledgers.ts";
import { type Act, type Era, type Heard, respond, type Talk } from "./script.ts";

export interface ScriptedOptions {
  /** Default: legacy. */
  readonly era?: Era;
  /** Gives legacy clients sessions and refuses unknown ones; default: it does not. */
  readonly sessions?: boolean;
}

/** Acts that need a stream to be told. */
const STREAMED: readonly (Act["do"] | undefined)[] = ["stream", "ask", "twice"];
const SESSION = "mcp-session-id";

/** Every path of it is a backend of its own; what it is told holds for all of them. */
export class ScriptedBackend implements AsyncDisposable {
  /** Ledger B. */
  readonly ledger: RowB[] = [];
  /** What calls get that say nothing of it. */
  standing: Act = { do: "answer" };
  readonly #http: HttpFixture;
  readonly #options: ScriptedOptions;
  readonly #sessions = new Set<string>();
  /** Questions under way, by id. */
  readonly #asked = new Map<string, (reply: unknown) => void>();
  #lastAsk = 0;

  private constructor(http: HttpFixture, options: ScriptedOptions) {
    this.#http = http;
    this.#options = options;
  }

  static async start(options: ScriptedOptions = {}): Promise<ScriptedBackend> {
    const backend: ScriptedBackend = new ScriptedBackend(
      await serveHttp((request, response) => backend.#take(request, response)),
      options,
    );
    return backend;
  }

  urlOf(path: string): URL {
    return new URL(`/${path}`, this.#http.url);
  }

  /** As a restart does: clients with a session are told that there is none. */
  forget(): void {
    this.#sessions.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.close();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => {});
    if (request.method !== "POST") {
      response.writeHead(request.method === "DELETE" ? 200 : 405).end();
      return;
    }
    const text = await bodyOf(request).catch(() => "");
    if (text === "") return;
    const heard = JSON.parse(text) as Heard;
    if (!this.#isKnown(request, heard)) {
      response.writeHead(404).end();
      return;
    }
    if (heard.method === undefined) this.#asked.get(String(heard.id))?.(heard);
    if (heard.method === undefined || heard.id === undefined) {
      response.writeHead(202).end();
      return;
    }
    this.#note(heard);
    await respond(heard, this.#talk(heard, response));
    response.end();
  }

  #isKnown({ headers }: IncomingMessage, { method }: Heard): boolean {
    const id = headers[SESSION];
    if (this.#options.sessions !== true || method === "initialize") return true;
    return method === "server/discover" || typeof id === "string" && this.#sessions.has(id);
  }

  #note({ method, params }: Heard): void {
    if (method !== "tools/call") return;
    const nonce = params?.arguments?.nonce ?? "";
    this.ledger.push({ nonce, tool: params?.name ?? "" });
  }

  #talk(heard: Heard, response: ServerResponse): Talk {
    const { era = "legacy" } = this.#options;
    const act = heard.params?.arguments?.do ?? this.standing.do;
    const say = STREAMED.includes(act) && heard.method === "tools/call"
      ? (message: object) => this.#event(response, message)
      : (message: object) => this.#body(heard, response, message);
    return {
      era,
      standing: this.standing,
      say,
      ask: (method, params) => this.#ask(say, method, params),
      die: () => void response.destroy(),
      noise: () => {},
    };
  }

  #body({ method }: Heard, response: ServerResponse, message: object): void {
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (this.#options.sessions === true && method === "initialize") {
      headers[SESSION] = randomUUID();
      this.#sessions.add(headers[SESSION]);
    }
    response.writeHead(200, headers).write(JSON.stringify(message));
  }

  #event(response: ServerResponse, message: object): void {
    if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: ${JSON.stringify(message)}\n\n`);
  }

  #ask(say: Talk["say"], method: string, params: object): Promise<unknown> {
    const id = `ask-${++this.#lastAsk}`;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#asked.set(id, resolve);
    say({ jsonrpc: "2.0", id, method, params });
    return promise.finally(() => this.#asked.delete(id));
  }
}
