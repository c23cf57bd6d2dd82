/**
 * Outbound HTTP: `fetch` by default, undici on Node. Never follows a redirect, never sends a request twice, asks
 * for uncompressed answers.
 */
export interface HttpClient {
  /**
   * Sends one request and resolves with the head of the answer.
   * @throws HttpFailure (contract/errors); `sent` says whether bytes of the request may have left
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
  /**
   * True: counts against the connections per origin and may wait for one. Everything else (streams, answers to
   * questions, cancellations) starts at once: calls that wait for it would hold the connections it waits for.
   */
  readonly queued?: boolean;
  /** Aborts the exchange, also while the body is being read. */
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  header(name: string): string | undefined;
  /**
   * The whole body as text (UTF-8, fatal).
   * @throws HttpFailure when it breaks off, or (`unusable`) is longer than `maxBytes` or not UTF-8.
   */
  text(maxBytes: number): Promise<string>;
  /**
   * Calls `sink` with each chunk of the body as it comes, resolves at its end. A throwing sink ends the exchange.
   * @throws HttpFailure when the body breaks off, and what `sink` throws
   */
  read(sink: (chunk: Uint8Array) => void): Promise<void>;
  /** Throws an unread body away and frees the connection. */
  discard(): void;
}
