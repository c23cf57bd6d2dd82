/** A management server that follows a script, and a client for it. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import {
  createManagementClient,
  type ManagementClient,
  type ManagementClientOptions,
} from "../../src/client/mod.ts";
import { SystemClock } from "../../src/hosts/clock.ts";
import { bodyOf, type HttpHandler, serveHttp } from "../support/http_fixture.ts";

export const TOKEN = "secret-token-of-the-test-0123456789";

export interface SeenRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Scripted extends AsyncDisposable {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  /** Resolves when that many requests came. */
  readonly came: (count: number) => Promise<void>;
}

/** The n-th request gets the n-th answer; the last one serves all further requests. */
export async function scripted(...answers: readonly HttpHandler[]): Promise<Scripted> {
  const seen: SeenRequest[] = [];
  const waiting = new Set<() => void>();
  const server = await serveHttp(async (request, response) => {
    const { method, url, headers } = request;
    const body = await bodyOf(request);
    const answer = answers[Math.min(seen.length, answers.length - 1)];
    seen.push({ method, url, headers, body });
    for (const look of waiting) look();
    await answer?.(request, response);
  });
  const came = (count: number) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (seen.length < count) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return {
    url: server.url.origin,
    seen,
    came,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

export function clientOf(
  url: string,
  options: Partial<ManagementClientOptions> = {},
): ManagementClient {
  return createManagementClient({
    url,
    token: TOKEN,
    fetch: globalThis.fetch,
    clock: new SystemClock(),
    random: Math.random,
    ...options,
  });
}

/** Answers JSON. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}) {
  return (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
}

/** Answers an error as the gateway does. */
export function refusal(status: number, code: string, more: Record<string, unknown> = {}) {
  const error = { code, message: `refused: ${code}`, request: "r-1", remedy: "Do this.", ...more };
  return json({ error }, status);
}

/** Ends the connection without an answer, or in the middle of one. */
export function cut(request: IncomingMessage): void {
  request.socket.destroy();
}

/** Never answers. */
export function hang(): void {}

export const HEALTH = { state: "ready", name: "gateway", revision: 1 };

export const OPERATION = {
  operation: "reconnect",
  id: "0198c5e0-0000-7000-8000-000000000000",
  outcome: "applied",
  target: "files",
  actor: { name: "tester", scope: "admin" },
  before: 1,
  revision: 2,
  at: "2026-01-01T00:00:00.000Z",
  durationMs: 3,
};

/** How many listeners the signal has that were added from now on. */
export function countListeners(signal: AbortSignal): () => number {
  let count = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...given: Parameters<typeof addEventListener>) => {
    count += 1;
    addEventListener.apply(signal, given);
  };
  signal.removeEventListener = (...given: Parameters<typeof removeEventListener>) => {
    count -= 1;
    removeEventListener.apply(signal, given);
  };
  return () => count;
}
