import type { Bus, BusMessage } from "../../ports/bus.ts";
import type { Cancel } from "../../ports/clock.ts";

/** Where the gateways of one process meet. */
export class BusHub {
  readonly #members = new Map<string, MemoryBus>();

  /** @param instance name of the replica that joins */
  join(instance: string): MemoryBus {
    const bus = new MemoryBus(this.#members, instance);
    this.#members.set(instance, bus);
    return bus;
  }
}

/** One of them. Messages arrive in order, each in a turn of its own. */
export class MemoryBus implements Bus {
  /** May be set: nothing can be sent then, and nothing arrives. */
  failure: string | undefined;
  readonly #members: Map<string, MemoryBus>;
  readonly #instance: string;
  #take: ((message: BusMessage) => void) | undefined;

  constructor(members: Map<string, MemoryBus>, instance: string) {
    this.#members = members;
    this.#instance = instance;
  }

  async send(to: string, text: string): Promise<boolean> {
    await this.#checked();
    return this.#members.get(to)?.hear({ from: this.#instance, text }) ?? false;
  }

  async broadcast(text: string): Promise<void> {
    await this.#checked();
    for (const [instance, member] of this.#members) {
      if (instance !== this.#instance) member.hear({ from: this.#instance, text });
    }
  }

  async isAlive(instance: string): Promise<boolean> {
    await this.#checked();
    return this.#members.get(instance)?.failure === undefined && this.#members.has(instance);
  }

  follow(take: (message: BusMessage) => void): Cancel {
    this.#take = take;
    return () => {
      if (this.#take === take) this.#take = undefined;
    };
  }

  close(): void {
    this.#take = undefined;
    this.#members.delete(this.#instance);
  }

  /** False when nobody of this name listens. */
  hear(message: BusMessage): boolean {
    if (this.failure !== undefined || this.#take === undefined) return false;
    this.#take(message);
    return true;
  }

  #checked(): Promise<void> {
    const { failure } = this;
    return failure === undefined ? Promise.resolve() : Promise.reject(new Error(failure));
  }
}
