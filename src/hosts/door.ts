/** Where a listener hands its requests: they wait until somebody is there to answer. */
import type { FetchHandler, HttpHandler } from "../core/mod.ts";

interface Handlers {
  readonly handle: HttpHandler;
  readonly fetch: FetchHandler;
}

export class Door {
  readonly #opened = Promise.withResolvers<Handlers>();
  #handlers: Handlers | undefined;

  readonly handle: HttpHandler = (incoming, peer) =>
    this.#handlers === undefined
      ? this.#opened.promise.then(({ handle }) => handle(incoming, peer))
      : this.#handlers.handle(incoming, peer);

  readonly fetch: FetchHandler = (request, peer) =>
    this.#handlers === undefined
      ? this.#opened.promise.then(({ fetch }) => fetch(request, peer))
      : this.#handlers.fetch(request, peer);

  open(handle: HttpHandler, fetch: FetchHandler): void {
    this.#handlers = { handle, fetch };
    this.#opened.resolve(this.#handlers);
  }
}
