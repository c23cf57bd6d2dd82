/** A Streamable HTTP backend in this process that remembers which calls it got, by their number. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { bodyOf, type HttpFixture, serveHttp } from "../support/http_fixture.ts";
import { answerTo, type Message, slowness } from "./numbered_answers.ts";

/** Every path of it is a backend of its own with the tool `echo`, which answers its argument `n`. */
export class NumberedBackend implements AsyncDisposable {
  /** Numbers of all calls that have come. */
  readonly seen = new Set<number>();
  /** The same with repetitions, in order. */
  readonly calls: number[] = [];
  readonly #http: HttpFixture;
  /** Path = header `x-generation` of the newest call. */
  readonly #generations = new Map<string, string>();

  private constructor(http: HttpFixture) {
    this.#http = http;
  }

  static async start(): Promise<NumberedBackend> {
    const backend: NumberedBackend = new NumberedBackend(
      await serveHttp((request, response) => backend.#respond(request, response)),
    );
    return backend;
  }

  urlOf(path: string): string {
    return new URL(`/${path}`, this.#http.url).href;
  }

  /** Header `x-generation` that came with the newest call to a path. */
  generation(path: string): string | undefined {
    return this.#generations.get(`/${path}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.close();
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "POST") {
      response.writeHead(request.method === "DELETE" ? 200 : 405).end();
      return;
    }
    const message = JSON.parse(await bodyOf(request)) as Message;
    if (message.id === undefined) {
      response.writeHead(202).end();
      return;
    }
    if (message.method === "tools/call") {
      this.#remember(request, message);
      await slowness(message);
    }
    const { id } = message;
    const body = JSON.stringify({ jsonrpc: "2.0", id, ...answerTo(message) });
    response.writeHead(200, { "content-type": "application/json" }).end(body);
  }

  #remember(request: IncomingMessage, { params }: Message): void {
    this.calls.push(params?.arguments?.n ?? Number.NaN);
    this.seen.add(params?.arguments?.n ?? Number.NaN);
    const generation = request.headers["x-generation"];
    if (typeof generation === "string") this.#generations.set(request.url ?? "", generation);
  }
}
