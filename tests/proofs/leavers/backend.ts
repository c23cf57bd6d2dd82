/** A backend over HTTP, in this process, that notes which calls it got and when it was told to cancel them. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Era, type Heard, respond, type Talk } from "../../support/faults/script.ts";
import { bodyOf, type HttpFixture, serveHttp } from "../../support/http_fixture.ts";
import { type Asked, LeaverCalls, type Note } from "./calls.ts";

const SESSION = "mcp-session-id";

export class LeaversBackend implements AsyncDisposable {
  readonly #http: HttpFixture;
  readonly #era: Era;
  readonly #calls: LeaverCalls;
  #taken = 0;

  private constructor(http: HttpFixture, era: Era, note: (note: Note) => void) {
    this.#http = http;
    this.#era = era;
    this.#calls = new LeaverCalls(era, note);
  }

  static async start(era: Era, note: (note: Note) => void): Promise<LeaversBackend> {
    const backend: LeaversBackend = new LeaversBackend(
      await serveHttp((request, response) => backend.#take(request, response)),
      era,
      note,
    );
    return backend;
  }

  get url(): URL {
    return this.#http.url;
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
    // Whoever called has gone in the middle of it.
    if (text === "") return;
    const heard = JSON.parse(text) as Heard;
    const session = request.headers[SESSION];
    if (heard.id === undefined) {
      const { requestId } = (heard.params ?? {}) as { readonly requestId?: number };
      if (heard.method === "notifications/cancelled") this.#calls.cancel(`${session} ${requestId}`);
      response.writeHead(202).end();
      return;
    }
    if (heard.method === "tools/call") await this.#call(heard, `${session} ${heard.id}`, response);
    else await respond(heard, this.#talk(heard, response));
    response.end();
  }

  /** A call of the modern era is cancelled by the end of its exchange, one of the legacy era by a message. */
  async #call(heard: Heard, legacyKey: string, response: ServerResponse): Promise<void> {
    const isModern = this.#era === "modern";
    const key = isModern ? String(++this.#taken) : legacyKey;
    if (isModern) {
      response.on("close", () => {
        if (!response.writableFinished) this.#calls.cancel(key);
      });
    }
    const asked = (heard.params?.arguments ?? {}) as Asked;
    const say = asked.tells === true
      ? (message: object) => event(response, message)
      : (message: object) => body(response, message);
    await this.#calls.perform(key, heard, say);
  }

  #talk({ method }: Heard, response: ServerResponse): Talk {
    const opens = this.#era === "legacy" && method === "initialize";
    return {
      era: this.#era,
      standing: { do: "answer" },
      say: (message) => body(response, message, opens ? { [SESSION]: randomUUID() } : {}),
      ask: () => Promise.reject(new Error("It asks nothing")),
      die: () => void response.destroy(),
      noise: () => {},
    };
  }
}

function body(
  response: ServerResponse,
  message: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(200, { "content-type": "application/json", ...headers });
  response.write(JSON.stringify(message));
}

function event(response: ServerResponse, message: object): void {
  if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(`data: ${JSON.stringify(message)}\n\n`);
}
