/** A reader of the event stream on a bare HTTP request, which is cut and resumed. */
import assert from "node:assert/strict";
import { get, type IncomingMessage } from "node:http";
import { createParser } from "eventsource-parser";
import type { RouteAnswer } from "../../src/client/mod.ts";
import { ADMIN_TOKEN, type ManagedGateway } from "./managed_gateway.ts";

type GatewayEvent = RouteAnswer<"eventStream">;

/** Somewhere in what a connection gets, so that all cuts together fall within the whole stream. */
export function cutAfter(events: number, cuts: number): number {
  const bytes = events / cuts * BYTES_OF_EVENT;
  return Math.ceil(Math.random() * bytes);
}

/** Less than the shortest event has. */
const BYTES_OF_EVENT = 200;

/** Names the first cursor that differs: a difference of thousands of events says nothing. */
export function assertSame(
  got: readonly GatewayEvent[],
  truth: readonly GatewayEvent[],
  who: string,
) {
  const differs = truth.findIndex(({ cursor }, index) => got[index]?.cursor !== cursor);
  assert.equal(differs, -1, `${who} differs from cursor ${truth[differs]?.cursor} on`);
  assert.deepEqual(got, truth);
}

/** What one connection of the raw reader brought. */
interface Slice {
  readonly after: string;
  readonly events: readonly GatewayEvent[];
}

/** Speaks HTTP itself, closes the socket within an event, and goes on from cursors anywhere behind it. */
export class RawReader {
  readonly slices: Slice[] = [];
  readonly #gateway: ManagedGateway;
  readonly #cursors: string[];
  #open: IncomingMessage | undefined;
  #isClosed = false;
  #look = () => {};

  constructor(gateway: ManagedGateway, from: string) {
    this.#gateway = gateway;
    this.#cursors = [from];
  }

  /** Reads until it is closed. */
  async read({ cuts, events }: { readonly cuts: number; readonly events: number }): Promise<void> {
    for (let cut = 0; cut < cuts && !this.#isClosed; cut++) {
      // Turn by turn the newest one, so that it moves on, and any.
      const index = cut % 2 === 0 ? -1 : Math.floor(Math.random() * this.#cursors.length);
      await this.#connection(this.#cursors.at(index) ?? "0", cutAfter(events * 2, cuts));
    }
    await this.#connection(this.#cursors.at(-1) ?? "0", Infinity);
  }

  /** Resolves when it has got the event with that cursor. */
  async arrivalOf(cursor: string): Promise<void> {
    while (this.#cursors.at(-1) !== cursor) {
      await new Promise<void>((resolve) => this.#look = resolve);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#open?.destroy();
  }

  /** Every slice is what follows its cursor, and together they are everything. */
  assertAll(truth: readonly GatewayEvent[]): void {
    const places = new Map(truth.map(({ cursor }, index) => [cursor, index + 1]));
    for (const { after, events } of this.slices) {
      const start = places.get(after) ?? 0;
      assertSame(events, truth.slice(start, start + events.length), `the reader after ${after}`);
    }
    assert.deepEqual(this.#cursors.slice(1), truth.map(({ cursor }) => cursor));
  }

  async #connection(after: string, bytes: number): Promise<void> {
    const response = await openStream(`${this.#gateway.management}/manage/v1/events/stream`, after);
    const slice = { after, events: [] };
    this.slices.push(slice);
    this.#open = response;
    try {
      await this.#take(response, bytes, slice.events);
    } catch (cause) {
      if (!this.#isClosed) throw cause;
    } finally {
      response.destroy();
    }
  }

  async #take(response: IncomingMessage, bytes: number, events: GatewayEvent[]): Promise<void> {
    const parser = createParser({
      onEvent: ({ event, data }) => {
        assert.equal(event, "event", `${event}: ${data}`);
        this.#note(JSON.parse(data) as GatewayEvent, events);
      },
    });
    const decoder = new TextDecoder();
    let left = bytes;
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      parser.feed(decoder.decode(chunk.subarray(0, left), { stream: true }));
      left -= chunk.length;
      if (left < 0) return;
    }
  }

  #note(event: GatewayEvent, events: GatewayEvent[]): void {
    events.push(event);
    if (BigInt(event.cursor) <= BigInt(this.#cursors.at(-1) ?? "0")) return;
    this.#cursors.push(event.cursor);
    this.#look();
  }
}

function openStream(url: string, after: string): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "last-event-id": after };
  return new Promise((resolve, reject) => {
    get(url, { headers, agent: false }, (response) => {
      if (response.statusCode === 200) resolve(response);
      else reject(new Error(`The stream answered ${response.statusCode}`));
    }).on("error", reject);
  });
}
