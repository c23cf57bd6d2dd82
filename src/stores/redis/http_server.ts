/** Redis over HTTP, as Upstash and its stand-ins speak it: one command is one POST of a JSON array. */
import type { Clock } from "../../ports/clock.ts";
import type { HttpClient } from "../../ports/http_client.ts";
import type { Commands, Server } from "./commands.ts";
import { isOfAnotherKind } from "./harmless.ts";
import type { Script } from "./script.ts";

/** For one command, the way there and back included: it may be a continent away. */
const ANSWER_MS = 1000;
const MAX_ANSWER = 16 * 1024 * 1024;
const MAX_REASON = 200;

export interface HttpServerOptions {
  readonly endpoint: URL;
  /** Sent as bearer token. */
  readonly token: string;
  readonly http: HttpClient;
  readonly clock: Clock;
}

/** For one request of a client: what failed once is not tried again. */
export class HttpServer implements Server, Commands {
  readonly #options: HttpServerOptions;
  #failure: string | undefined;

  constructor(options: HttpServerOptions) {
    this.#options = options;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  get outages(): number {
    return this.#failure === undefined ? 0 : 1;
  }

  async use<Result>(work: (commands: Commands) => Promise<Result>): Promise<Result> {
    if (this.#failure !== undefined) throw new Error(this.#failure);
    try {
      return await work(this);
    } catch (cause) {
      if (!isOfAnotherKind(cause)) this.#failure = reasonOf(cause);
      throw cause;
    }
  }

  script({ text }: Script, key: string, args: readonly string[]): Promise<unknown> {
    return this.run(["EVAL", text, "1", key, ...args]);
  }

  async run(args: readonly string[]): Promise<unknown> {
    const { clock } = this.#options;
    const abort = new AbortController();
    const cancel = clock.after(ANSWER_MS, () => abort.abort());
    try {
      return resultOf(await this.#post(JSON.stringify(args), abort.signal));
    } catch (cause) {
      throw abort.signal.aborted ? new Error("it does not answer in time") : cause;
    } finally {
      cancel();
    }
  }

  close(): void {}

  async #post(body: string, signal: AbortSignal): Promise<string> {
    const { http, endpoint: url, token } = this.#options;
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await http.send({ method: "POST", url, headers, body, signal });
    const text = await response.text(MAX_ANSWER);
    // An error of Redis has a body of its own, with any status.
    if (response.status === 200 || text.includes('"error"')) return text;
    throw new Error(`the answer has status ${response.status}`);
  }
}

/** @throws Error the refusal of the server */
function resultOf(text: string): unknown {
  const answer = JSON.parse(text) as { readonly result?: unknown; readonly error?: unknown } | null;
  const refusal = answer?.error;
  if (refusal !== undefined) {
    throw new Error(reasonOf(typeof refusal === "string" ? refusal : JSON.stringify(refusal)));
  }
  return answer?.result;
}

/** In words, without what a hostile server could put into them. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message || cause.name : String(cause);
  // deno-lint-ignore no-control-regex -- control characters are what is removed
  return text.replace(/[\u0000-\u001f\u007f]+/g, " ").slice(0, MAX_REASON);
}
