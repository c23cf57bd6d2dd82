/** A wire that is the test: shows what the link sends, and says what the backend answers. */
import { decode } from "../../src/core/mcp/codec.ts";
import type { OpenWire, WireEvents } from "../../src/core/backends/wire.ts";
import type { Rpc } from "./http_session.ts";

export class FakeWire {
  readonly sent: Rpc[] = [];
  readonly forgotten: number[] = [];
  established: string | undefined;
  closed = 0;
  #events: WireEvents | undefined;

  /** `initialize` is answered at once with these members. */
  readonly open: OpenWire = (events) => {
    this.#events = events;
    return {
      send: (text) => {
        const message = JSON.parse(text) as Rpc;
        this.sent.push(message);
        if (message.method === "initialize" && this.handshake !== undefined) {
          queueMicrotask(() => this.say({ id: message.id, result: this.handshake }));
        }
      },
      established: (revision) => this.established = revision,
      forget: (request) => void this.forgotten.push(request),
      close: () => {
        this.closed++;
        return Promise.resolve();
      },
    };
  };

  handshake: unknown = {
    protocolVersion: "2025-06-18",
    capabilities: { tools: {} },
    instructions: "Use it.",
  };

  get events(): WireEvents {
    if (this.#events === undefined) throw new Error("The wire was never opened");
    return this.#events;
  }

  /** A message of the backend; `origin` is the request whose stream carried it. */
  say(message: Record<string, unknown>, origin?: number): void {
    const [decoded] = decode(JSON.stringify({ jsonrpc: "2.0", ...message })).messages;
    if (decoded !== undefined) this.events.message(decoded, origin);
  }

  /** The last message the link sent. */
  get last(): Rpc {
    return this.sent.at(-1) as Rpc;
  }
}
