/** HTTP from an isolate: to configured hosts alone, and keys of issuers are fetched once a minute. */
import { HttpFailure } from "../../contract/mod.ts";
import type { Config } from "../../contract/mod.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../../ports/http_client.ts";
import { createFetchClient } from "../http_client/fetch_client.ts";

const KEYS_MS = 60_000;
/** How long they are used while newer ones cannot be had. */
const STALE_KEYS_MS = 3_600_000;
const MAX_KEYS_BYTES = 256 * 1024;

interface KeptKeys {
  readonly text: string;
  readonly at: number;
}

/** Data of an isolate: answers of issuers, by URL. */
export type KeyMemory = Map<string, KeptKeys>;

export function edgeHttp(config: Config, keys: KeyMemory, endpoints: readonly URL[]): HttpClient {
  const issuers = config.auth.jwt.flatMap(({ jwks_url: url }) => url === undefined ? [] : [url]);
  const backends = Object.values(config.backends).flatMap(({ url }) =>
    url === undefined ? [] : [url]
  );
  const origins = new Set(
    [...issuers, ...backends, ...endpoints].map((url) => new URL(url).origin),
  );
  const isIssuer = new Set(issuers.map((url) => new URL(url).href));
  const http = createFetchClient();
  const send = (request: HttpRequest) => {
    if (origins.has(request.url.origin)) return http.send(request);
    const reason = `the host ${request.url.host} is not one of the configuration`;
    return Promise.reject(new HttpFailure(reason, false));
  };
  return {
    send: (request) =>
      isIssuer.has(request.url.href) ? sendForKeys(request, keys, send) : send(request),
    close: () => http.close(),
  };
}

async function sendForKeys(
  request: HttpRequest,
  keys: KeyMemory,
  send: HttpClient["send"],
): Promise<HttpResponse> {
  const { href } = request.url;
  const kept = keys.get(href);
  const age = kept === undefined ? Infinity : performance.now() - kept.at;
  if (kept !== undefined && age < KEYS_MS) return answerOf(kept.text);
  try {
    const response = await send(request);
    if (response.status !== 200) throw new Error(`the answer has status ${response.status}`);
    const text = await response.text(MAX_KEYS_BYTES);
    keys.set(href, { text, at: performance.now() });
    return answerOf(text);
  } catch (cause) {
    if (kept === undefined || age >= STALE_KEYS_MS) throw cause;
    return answerOf(kept.text);
  }
}

function answerOf(text: string): HttpResponse {
  return {
    status: 200,
    header: () => undefined,
    text: () => Promise.resolve(text),
    read: (sink) => Promise.resolve(sink(new TextEncoder().encode(text))),
    discard: () => {},
  };
}
