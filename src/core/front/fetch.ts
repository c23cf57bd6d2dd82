/** The web-standard form of the door for HTTP. */
import { SentinelError } from "../../contract/mod.ts";
import { bodyBroken, bodyTooLarge } from "./body.ts";
import type { HttpHandler, HttpIncoming, HttpOutgoing } from "./http_message.ts";
import type { Peer } from "./peer.ts";
import type { Upgrade } from "./upgrade.ts";

export type FetchHandler = (request: Request, peer?: Peer) => Promise<Response>;

/** Puts Request and Response around a handler. */
export function toFetch(handle: HttpHandler): FetchHandler {
  return async (request, peer) => toResponse(await handle(new RequestIncoming(request), peer));
}

/** The same for a request that the host can make a WebSocket of: what was admitted, or the answer. */
export type UpgradeHandler = (request: Request, peer?: Peer) => Promise<Upgrade | Response>;

export function toUpgrade(handle: HttpHandler): UpgradeHandler {
  return async (request, peer) => {
    const answer = await handle(new UpgradeIncoming(request), peer);
    return answer.upgrade ?? toResponse(answer);
  };
}

function toResponse({ status, headers, body }: HttpOutgoing): Response {
  return new Response(body ?? null, { status, headers });
}

class RequestIncoming implements HttpIncoming {
  readonly method: string;
  readonly target: string;
  readonly #request: Request;
  #abandon: ((error: Error) => void) | undefined;

  constructor(request: Request) {
    this.#request = request;
    this.method = request.method;
    this.target = targetOf(request.url);
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  headerBytes(): number {
    let bytes = 0;
    for (const [name, value] of this.#request.headers) bytes += name.length + value.length;
    return bytes;
  }

  body(maxBytes: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#abandon = reject;
      this.#read(maxBytes).then(resolve, reject);
    });
  }

  abandon(error: Error): void {
    this.#abandon?.(error);
  }

  async #read(maxBytes: number): Promise<Uint8Array> {
    const declared = Number(this.header("content-length") ?? "0");
    if (declared > maxBytes) throw bodyTooLarge(maxBytes);
    // A body with a length is read in one piece: the runtime stops at the length.
    try {
      if (declared > 0) return new Uint8Array(await this.#request.arrayBuffer());
      return await collect(this.#request, maxBytes);
    } catch (cause) {
      throw cause instanceof SentinelError ? cause : bodyBroken(cause);
    }
  }

  onGone(run: () => void): void {
    onAbort(this.#request.signal, run);
  }
}

class UpgradeIncoming extends RequestIncoming {
  readonly wantsUpgrade = true;
}

function onAbort(signal: AbortSignal, run: () => void): void {
  if (signal.aborted) run();
  else signal.addEventListener("abort", run, { once: true });
}

async function collect(request: Request, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) throw bodyTooLarge(maxBytes);
    chunks.push(chunk);
  }
  return concatenate(chunks, length);
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/** Path and query of an absolute URL, without the cost of a URL object. */
function targetOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start === -1 ? "/" : url.slice(start);
}
