/** Outbound HTTP: `fetch` by default, undici on Node. Never follows a redirect. */
export interface HttpClient {
  /**
   * Sends one request and resolves with the head of the answer.
   * @throws HttpFailure (contract/errors); `sent` says whether bytes of the request may have left.
   */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Closes idle connections. */
  close(): Promise<void>;
}

export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Aborts the exchange, also while the body is being read. */
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  header(name: string): string | undefined;
  /**
   * The whole body as text (UTF-8, fatal).
   * @throws HttpFailure when it is longer than `maxBytes`, not UTF-8, or breaks off.
   */
  text(maxBytes: number): Promise<string>;
  /** The body as it comes. Cancelling the stream destroys the exchange. */
  stream(): ReadableStream<Uint8Array>;
  /** Throws the body away and frees the connection. */
  discard(): void;
}
