/** Messages of replicas in and out: encoded, checked, counted. */
import type { Bus } from "../../ports/bus.ts";
import type { Cancel } from "../../ports/clock.ts";
import type { Series, Telemetry } from "../../ports/telemetry.ts";
import { decodeMessage, encodeMessage, type ReplicaMessage } from "./messages.ts";

export interface Received {
  /** Instance that sent it. */
  readonly from: string;
  readonly message: ReplicaMessage;
}

/** Nothing here rejects or throws: what does not arrive is counted, and who waits for an answer has a deadline. */
export class Mailbox {
  readonly #bus: Bus;
  readonly #counts: Readonly<Record<"sent" | "received" | "failed", Series>>;

  constructor(bus: Bus, telemetry: Telemetry) {
    this.#bus = bus;
    const count = (result: "sent" | "received" | "failed") =>
      telemetry.series("sentinel_replica_messages_total", { result });
    this.#counts = { sent: count("sent"), received: count("received"), failed: count("failed") };
  }

  /** Why nobody can be reached now, if so. */
  get failure(): string | undefined {
    return this.#bus.failure;
  }

  /** To one replica; false when nobody of that name listens, or nobody can be reached. */
  async send(to: string, message: ReplicaMessage): Promise<boolean> {
    return await this.#counted(this.#bus.send(to, encodeMessage(message)));
  }

  /** To all others. */
  broadcast(message: ReplicaMessage): void {
    void this.#counted(this.#bus.broadcast(encodeMessage(message)).then(() => true));
  }

  /** Undefined when nobody knows. */
  async isAlive(instance: string): Promise<boolean | undefined> {
    return await this.#bus.isAlive(instance).catch(() => undefined);
  }

  /** `take` must not throw. */
  follow(take: (received: Received) => void): Cancel {
    return this.#bus.follow(({ from, text }) => {
      const message = decodeMessage(text);
      this.#counts[message === undefined ? "failed" : "received"].add(1);
      if (message !== undefined) take({ from, message });
    });
  }

  async #counted(sending: Promise<boolean>): Promise<boolean> {
    const arrived = await sending.catch(() => false);
    this.#counts[arrived ? "sent" : "failed"].add(1);
    return arrived;
  }
}
