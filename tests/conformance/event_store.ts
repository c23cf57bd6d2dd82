import type { EventStore, JSONRPCMessage } from "../support/sdk.ts";

/** Far more than one run of the suite sends over one session. */
const MAX_EVENTS = 1000;

/** The events of one session in memory, so that a client can come back with `Last-Event-ID`. */
export class MemoryEventStore implements EventStore {
  readonly #events = new Map<string, { stream: string; message: JSONRPCMessage }>();
  #last = 0;

  storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    const id = `event-${++this.#last}`;
    this.#events.set(id, { stream, message });
    this.#events.delete(`event-${this.#last - MAX_EVENTS}`);
    return Promise.resolve(id);
  }

  getStreamIdForEventId(id: string): Promise<string | undefined> {
    return Promise.resolve(this.#events.get(id)?.stream);
  }

  async replayEventsAfter(
    lastId: string,
    { send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const stream = this.#events.get(lastId)?.stream;
    if (stream === undefined) throw new Error(`Unknown event "${lastId}"`);
    let passed = false;
    for (const [id, event] of this.#events) {
      if (passed && event.stream === stream && isMessage(event.message)) {
        await send(id, event.message);
      }
      if (id === lastId) passed = true;
    }
    return stream;
  }
}

/** A priming event is stored as empty object; it is no message. */
function isMessage(message: JSONRPCMessage): boolean {
  return Object.keys(message).length > 0;
}
