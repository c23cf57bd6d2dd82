/** The port `HttpClient` on global `fetch`: Bun, edge. */
import type { HttpClient, HttpRequest, HttpResponse } from "../../ports/http_client.ts";
import { BodyText, decodeBody, tooLong } from "./body_text.ts";
import { failureOf } from "./failure.ts";

/** Deno sends a body it can read twice again when a reused connection ends before the answer (2.9). */
const RESENDS = "Deno" in globalThis;

/**
 * Connections are the runtime's: it bounds, keeps and closes them, so `queued` and `close` do nothing. No time for
 * connecting can be set, and one until the head of the answer would end slow tools: an address that swallows
 * packets fails with the time of a handshake, a ping or a call, whichever comes first, and the circuit of its
 * backend keeps the calls after that from waiting as long.
 */
export function createFetchClient(): HttpClient {
  return { send, close: () => Promise.resolve() };
}

async function send(request: HttpRequest): Promise<HttpResponse> {
  try {
    return new FetchResponse(await fetch(request.url, initOf(request)));
  } catch (thrown) {
    throw failureOf(thrown);
  }
}

function initOf({ method, headers, body, signal }: HttpRequest): RequestInit {
  return {
    method,
    headers: headers["accept-encoding"] === undefined
      ? { ...headers, "accept-encoding": "identity" }
      : headers,
    redirect: "manual" as const,
    // Bun's own: a call may wait for a person longer than five minutes, and what a backend compresses
    // although it was asked not to is refused, so there is nothing to inflate.
    timeout: false,
    decompress: false,
    ...(body === undefined ? {} : { body: RESENDS ? new Blob([body]) : body }),
    ...(signal === undefined ? {} : { signal }),
  } as RequestInit;
}

class FetchResponse implements HttpResponse {
  readonly #response: Response;

  constructor(response: Response) {
    this.#response = response;
  }

  get status(): number {
    return this.#response.status;
  }

  header(name: string): string | undefined {
    return this.#response.headers.get(name) ?? undefined;
  }

  async text(maxBytes: number): Promise<string> {
    const announced = this.header("content-encoding") === undefined
      ? this.header("content-length")
      : undefined;
    if (announced === undefined) return await this.#collect(maxBytes);
    if (Number(announced) > maxBytes) {
      this.discard();
      throw tooLong(maxBytes);
    }
    return decodeBody(await this.#bytes());
  }

  async read(sink: (chunk: Uint8Array) => void): Promise<void> {
    const reader = this.#response.body?.getReader();
    if (reader === undefined) return;
    for (;;) {
      const { done, value } = await reader.read().catch((thrown) => {
        throw failureOf(thrown, true);
      });
      if (done) return;
      try {
        sink(value);
      } catch (thrown) {
        void reader.cancel().catch(ignore);
        throw thrown;
      }
    }
  }

  discard(): void {
    void this.#response.body?.cancel().catch(ignore);
  }

  async #collect(maxBytes: number): Promise<string> {
    const body = new BodyText(maxBytes);
    await this.read((chunk) => body.add(chunk));
    return body.text();
  }

  async #bytes(): Promise<ArrayBuffer> {
    try {
      return await this.#response.arrayBuffer();
    } catch (thrown) {
      throw failureOf(thrown, true);
    }
  }
}

/** A body that cannot be cancelled has failed already; nobody wants it any more. */
function ignore(): void {}
