/** WebSocket of `Deno.serve`, which pings by itself and cannot cut a connection. */
import { toUpgrade, type Upgrade } from "../../core/mod.ts";
import type { HttpHandler, Peer } from "../../core/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import { badUpgrade } from "./refusal.ts";
import type { Socket } from "./link.ts";
import type { WebSocketLinks } from "./links.ts";

/** Bytes that may wait in a socket before a sender waits. */
const MAX_BUFFERED = 64 * 1024;
/** Between two looks at what waits: there is no event for it. */
const LOOK_MS = 20;

interface Upgraded {
  readonly socket: WebSocket;
  readonly response: Response;
}

interface DenoUpgrade {
  upgradeWebSocket(
    request: Request,
    options: { protocol?: string; idleTimeout: number },
  ): Upgraded;
}

export interface DenoUpgradeOptions {
  readonly handle: HttpHandler;
  readonly clock: Clock;
  readonly links: WebSocketLinks;
}

export async function upgradeOnDeno(
  { handle, clock, links }: DenoUpgradeOptions,
  request: Request,
  peer: Peer,
): Promise<Response> {
  const admitted = await toUpgrade(handle)(request, peer);
  if (admitted instanceof Response) return admitted;
  const upgraded = upgradedBy(request, admitted);
  if (upgraded === undefined) {
    admitted.abandon();
    return badUpgrade();
  }
  const { socket, response } = upgraded;
  const link = links.open(admitted, new DenoSocket(socket, clock));
  socket.addEventListener("message", ({ data }: MessageEvent) => {
    link.received(typeof data === "string" ? data : undefined);
  });
  // Also after an error.
  socket.addEventListener("close", () => links.closed(link));
  return response;
}

/** Undefined when the runtime cannot make one of the request. */
function upgradedBy(request: Request, upgrade: Upgrade): Upgraded | undefined {
  const { Deno } = globalThis as unknown as { Deno: DenoUpgrade };
  const { protocol } = upgrade;
  // It pings twice in this time.
  const idleTimeout = Math.max(1, Math.round(2 * upgrade.heartbeatMs() / 1000));
  try {
    return Deno.upgradeWebSocket(request, {
      idleTimeout,
      ...(protocol === undefined ? {} : { protocol }),
    });
  } catch {
    return undefined;
  }
}

class DenoSocket implements Socket {
  readonly #socket: WebSocket;
  readonly #clock: Clock;

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  send(text: string): void | Promise<void> {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(text);
    if (this.#socket.bufferedAmount > MAX_BUFFERED) return this.#taken();
  }

  close(code: number, reason: string): void {
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close(code, reason);
  }

  async #taken(): Promise<void> {
    while (
      this.#socket.readyState === WebSocket.OPEN && this.#socket.bufferedAmount > MAX_BUFFERED
    ) {
      await new Promise<void>((resolve) => void this.#clock.after(LOOK_MS, resolve));
    }
  }
}
