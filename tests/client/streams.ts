/** Event streams for a scripted management server, and what a reader saw of them. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Followed, RouteAnswer, StreamState } from "../../src/client/mod.ts";
import type { FakeClock } from "../support/fake_clock.ts";
import type { HttpHandler } from "../support/http_fixture.ts";

type GatewayEvent = RouteAnswer<"eventStream">;

export function eventOf(cursor: number): GatewayEvent {
  return {
    cursor: String(cursor),
    at: "2026-01-01T00:00:00.000Z",
    event: "backend.ready",
    severity: "info",
    fields: { backend: "files" },
  };
}

/** Wire text of events with these cursors. */
export function events(...cursors: readonly number[]): string {
  return cursors.map((cursor) =>
    `id: ${cursor}\nevent: event\ndata: ${JSON.stringify(eventOf(cursor))}\n\n`
  ).join("");
}

/** Wire text of a message that is no event. */
export function notice(name: string, data: unknown = {}): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

export const HEARTBEAT = ": \n\n";

/** Opens the stream, writes this, and leaves it open. */
export function stream(...texts: readonly string[]): HttpHandler {
  return (_request, response) => open(response, texts);
}

/** Opens the stream, writes this, and breaks the connection when that has gone out. */
export function brokenStream(...texts: readonly string[]): HttpHandler {
  return (request: IncomingMessage, response) => {
    open(response, texts.slice(0, -1));
    response.write(texts.at(-1) ?? HEARTBEAT, () => request.socket.end());
  };
}

/** Opens the stream, writes this, and ends it properly. */
export function endedStream(...texts: readonly string[]): HttpHandler {
  return (_request, response) => {
    open(response, texts);
    response.end();
  };
}

function open(response: ServerResponse, texts: readonly string[]): void {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  response.flushHeaders();
  for (const text of texts) response.write(text);
}

/** Keeps the states, and moves the clock over each wait for the next attempt. */
export class States {
  readonly seen: StreamState[] = [];
  readonly #clock: FakeClock | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(clock?: FakeClock) {
    this.#clock = clock;
  }

  readonly onState = (state: StreamState): void => {
    this.seen.push(state);
    for (const look of this.#waiting) look();
    const { retryInMs } = state;
    // The wait begins after this call.
    if (retryInMs !== undefined) setTimeout(() => void this.#clock?.advance(retryInMs), 0);
  };

  get names(): string[] {
    return this.seen.map(({ state }) => state);
  }

  get last(): StreamState | undefined {
    return this.seen.at(-1);
  }

  /** Resolves when a state came that `isIt`. */
  until(isIt: (state: StreamState) => boolean): Promise<StreamState> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.seen.find(isIt);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** Cursors of events, and gaps as they are. */
function shortly(entry: Followed<GatewayEvent>): number | object {
  return entry.kind === "event" ? Number(entry.data.cursor) : entry;
}

/** The next `count` entries. */
export async function take(
  entries: AsyncIterator<Followed<GatewayEvent>>,
  count: number,
): Promise<(number | object)[]> {
  const taken: (number | object)[] = [];
  while (taken.length < count) {
    const { done, value } = await entries.next();
    if (done === true) break;
    taken.push(shortly(value));
  }
  return taken;
}
