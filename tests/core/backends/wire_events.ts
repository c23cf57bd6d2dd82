import type { SentinelError } from "../../../src/contract/mod.ts";
import type { WireEvents } from "../../../src/core/backends/wire.ts";
import type { Message } from "../../../src/core/mcp/message.ts";
import { until } from "../../hosts/process/children.ts";

/** Keeps what a wire reports. */
export class KeptEvents implements WireEvents {
  readonly messages: Message[] = [];
  readonly failures: { readonly request: number; readonly error: SentinelError }[] = [];
  readonly samples: string[] = [];
  readonly losses: SentinelError[] = [];

  message(message: Message): void {
    this.messages.push(message);
  }

  failed(request: number, error: SentinelError): void {
    this.failures.push({ request, error });
  }

  invalid(sample: string): void {
    this.samples.push(sample);
  }

  closed(error: SentinelError): void {
    this.losses.push(error);
  }

  /** Why the wire closed; waits until it does. */
  async loss(): Promise<SentinelError> {
    await until("the wire closes", () => this.losses.length > 0);
    return this.losses[0] as SentinelError;
  }

  /** The first message of a kind; waits until it comes. */
  async first<K extends Message["kind"]>(kind: K): Promise<Extract<Message, { kind: K }>> {
    const find = () => this.messages.find((message) => message.kind === kind);
    await until(`a ${kind} comes`, () => find() !== undefined);
    return find() as Extract<Message, { kind: K }>;
  }
}
