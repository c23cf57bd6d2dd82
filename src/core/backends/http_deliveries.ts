/** Messages that are posted and only acknowledged: notifications and answers; over HTTP+SSE all messages. */
import { SentinelError } from "../../contract/mod.ts";
import type { HttpEndpoint } from "./http_endpoint.ts";
import { wireError } from "./http_errors.ts";
import type { MessageHeaders } from "./wire.ts";

/** A backend that does not acknowledge within this time is not waited for. */
const DEADLINE_MS = 10_000;
/** Deliveries under way at once. */
const MAX_DELIVERIES = 256;

export class HttpDeliveries {
  readonly #endpoint: HttpEndpoint;
  readonly #underWay = new Map<AbortController, number | undefined>();

  constructor(endpoint: HttpEndpoint) {
    this.#endpoint = endpoint;
  }

  /** Posts one message; resolves with what went wrong, if anything. Never rejects. */
  async post(
    text: string,
    request: number | undefined,
    headers?: MessageHeaders,
  ): Promise<SentinelError | undefined> {
    const { backend, clock } = this.#endpoint;
    if (request === undefined && this.#underWay.size >= MAX_DELIVERIES) {
      const why = `it acknowledges nothing, ${MAX_DELIVERIES} messages wait`;
      return new SentinelError("OVERLOADED", `Cannot tell backend "${backend}": ${why}`, {
        backend,
        executed: "no",
      });
    }
    const abort = new AbortController();
    this.#underWay.set(abort, request);
    // The deadline of a request is its sender's.
    const stop = request === undefined ? clock.after(DEADLINE_MS, () => abort.abort()) : undefined;
    try {
      return await this.#exchange(text, abort.signal, headers);
    } catch (thrown) {
      return wireError(backend, thrown);
    } finally {
      stop?.();
      this.#underWay.delete(abort);
    }
  }

  forget(request: number): void {
    for (const [abort, other] of this.#underWay) if (other === request) abort.abort();
  }

  stop(): void {
    for (const abort of this.#underWay.keys()) abort.abort();
  }

  async #exchange(
    text: string,
    signal: AbortSignal,
    headers: MessageHeaders | undefined,
  ): Promise<SentinelError | undefined> {
    const response = await this.#endpoint.post(text, signal, false, headers);
    if (response.status >= 200 && response.status <= 299) {
      response.discard();
      return undefined;
    }
    return this.#endpoint.refusal(response, await this.#endpoint.errorBody(response));
  }
}
