/** The other end of a pipe of messages, in the test's own process. */
import type { MessageLink } from "../../src/ports/message_link.ts";
import type { Rpc } from "./http_session.ts";

export class PipeClient implements MessageLink {
  readonly messages: AsyncIterable<string>;
  /** Everything the gateway sent, in order. */
  readonly received: Rpc[] = [];
  #queue: string[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  readonly #watchers = new Set<() => void>();

  constructor() {
    this.messages = this.#read();
  }

  /** What the gateway sends arrives here. */
  send(text: string): void {
    this.received.push(JSON.parse(text) as Rpc);
    for (const watcher of this.#watchers) watcher();
  }

  close(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Writes to the gateway. */
  write(message: unknown): void {
    this.#queue.push(typeof message === "string" ? message : JSON.stringify(message));
    this.#wake?.();
  }

  /** The first message, past or to come, that fits. */
  when(fits: (message: Rpc) => boolean): Promise<Rpc> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.received.find(fits);
        if (found === undefined) return;
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
  }

  request(id: number | string, method: string, params?: unknown): Promise<Rpc> {
    this.write({ jsonrpc: "2.0", id, method, params });
    return this.when((message) => message.id === id && message.method === undefined);
  }

  async initialize(capabilities: unknown = {}, protocolVersion = "2025-11-25"): Promise<Rpc> {
    const answer = await this.request("init", "initialize", {
      protocolVersion,
      capabilities,
      clientInfo: { name: "p", version: "1" },
    });
    this.write({ jsonrpc: "2.0", method: "notifications/initialized" });
    return answer;
  }

  async *#read(): AsyncGenerator<string> {
    for (;;) {
      yield* this.#queue.splice(0);
      if (this.#ended) return;
      if (this.#queue.length > 0) continue;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
