import type { Dispatcher } from "undici";
import { HttpFailure } from "../../contract/mod.ts";
import type { HttpResponse } from "../../ports/http_client.ts";
import { BodyText } from "./body_text.ts";
import { failureOf } from "./failure.ts";

type Controller = Dispatcher.DispatchController;
type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2];

/** What may arrive before somebody reads; then the connection is not read any further. */
const MAX_EARLY = 65_536;

interface Reading {
  readonly sink: (chunk: Uint8Array) => void;
  readonly resolve: () => void;
  readonly reject: (thrown: unknown) => void;
}

/**
 * One exchange of undici's dispatch: handler and answer in one object. undici calls `onRequestStart` before
 * it writes the first byte, so a failure before it was certainly not sent.
 */
export class UndiciExchange implements Dispatcher.DispatchHandler, HttpResponse {
  status = 0;
  #headers: Headers = {};
  readonly #resolve: (response: HttpResponse) => void;
  readonly #reject: (failure: HttpFailure) => void;
  readonly #signal: AbortSignal | undefined;
  #controller: Controller | undefined;
  #early: Uint8Array[] = [];
  #earlySize = 0;
  #ended = false;
  #failure: HttpFailure | undefined;
  #reading: Reading | undefined;

  constructor(
    resolve: (response: HttpResponse) => void,
    reject: (failure: HttpFailure) => void,
    signal: AbortSignal | undefined,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    if (signal?.aborted === true) this.handleEvent();
    else signal?.addEventListener("abort", this);
  }

  get aborted(): boolean {
    return this.#failure !== undefined;
  }

  /** The signal aborts. */
  handleEvent(): void {
    if (this.#ended || this.#failure !== undefined) return;
    this.#fail(new HttpFailure("the exchange was aborted", this.#controller !== undefined));
  }

  header(name: string): string | undefined {
    const value = this.#headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  async text(maxBytes: number): Promise<string> {
    const body = new BodyText(maxBytes);
    await this.read((chunk) => body.add(chunk));
    return body.text();
  }

  async read(sink: (chunk: Uint8Array) => void): Promise<void> {
    const early = this.#early;
    this.#early = [];
    try {
      for (const chunk of early) sink(chunk);
    } catch (thrown) {
      this.discard();
      throw thrown;
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended) return;
    await new Promise<void>((resolve, reject) => {
      this.#reading = { sink, resolve, reject };
      this.#controller?.resume();
    });
  }

  discard(): void {
    this.#early = [];
    if (!this.#ended) this.#fail(new HttpFailure("the answer was not wanted", true));
  }

  onRequestStart(controller: Controller): void {
    // Thrown, it ends the exchange before the first byte and leaves the connection to others.
    if (this.#failure !== undefined) throw this.#failure;
    this.#controller = controller;
  }

  onResponseStart(_controller: Controller, status: number, headers: Headers): void {
    // 1xx are hints before the answer.
    if (status < 200) return;
    this.status = status;
    this.#headers = headers;
    this.#resolve(this);
  }

  onResponseData(controller: Controller, chunk: Uint8Array): void {
    if (this.#failure !== undefined) return;
    if (this.#reading !== undefined) return this.#pour(this.#reading, chunk);
    this.#early.push(chunk);
    this.#earlySize += chunk.byteLength;
    if (this.#earlySize > MAX_EARLY) controller.pause();
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#signal?.removeEventListener("abort", this);
    this.#reading?.resolve();
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (this.#failure === undefined) this.#fail(failureOf(error, this.#controller !== undefined));
  }

  #pour({ sink, reject }: Reading, chunk: Uint8Array): void {
    try {
      sink(chunk);
    } catch (thrown) {
      reject(thrown);
      this.discard();
    }
  }

  /** Ends the exchange; whoever waits for the head or the body learns why. */
  #fail(failure: HttpFailure): void {
    this.#failure = failure;
    this.#signal?.removeEventListener("abort", this);
    if (this.status === 0) this.#reject(failure);
    this.#reading?.reject(failure);
    this.#controller?.abort(failure);
  }
}
