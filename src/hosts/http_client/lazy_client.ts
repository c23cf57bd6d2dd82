import type { HttpClient } from "../../ports/http_client.ts";

/** A client that is loaded with its first request, so that it costs nothing before the gateway listens. */
export function createLazyClient(load: () => Promise<HttpClient>): HttpClient {
  let loading: Promise<HttpClient> | undefined;
  let loaded: HttpClient | undefined;
  const ready = async () => loaded = await (loading ??= load());
  return {
    send: (request) =>
      loaded === undefined ? ready().then((client) => client.send(request)) : loaded.send(request),
    close: async () => await (await loading)?.close(),
  };
}
