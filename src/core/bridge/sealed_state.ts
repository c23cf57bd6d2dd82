/**
 * The `requestState` of a modern backend on its way through the client: what comes back is what was given,
 * from the same caller, for the same call, in time. It is worth nothing after a restart or at another replica.
 */
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import { cannotContinue } from "./binding.ts";
import { toHex } from "./token.ts";

const ALGORITHM = { name: "HMAC", hash: "SHA-256" } as const;
const KEY_BYTES = 32;
const SEALED = /^sealed\.(\d{1,15})\.([0-9a-f]{64})\.([^]*)$/;

export interface SealPorts {
  readonly clock: Clock;
  readonly random: Random;
}

export class SealedStates {
  readonly #ports: SealPorts;
  #key: Promise<CryptoKey> | undefined;

  constructor(ports: SealPorts) {
    this.#ports = ports;
  }

  /**
   * @param binding what it is for
   * @param keepMs how long it can be used
   */
  async seal(state: string, binding: string, keepMs: number): Promise<string> {
    const expiresAt = Math.ceil(this.#ports.clock.monotonic() + keepMs);
    const data = signed(state, binding, expiresAt);
    const mac = await crypto.subtle.sign(ALGORITHM.name, await this.#keyed(), data);
    return `sealed.${expiresAt}.${toHex(new Uint8Array(mac))}.${state}`;
  }

  /** @throws SentinelError INVALID_PARAMS, the same for whatever is wrong with it */
  async open(sealed: string, binding: string): Promise<string> {
    const [, expiresAt, mac, state] = SEALED.exec(sealed) ?? [];
    if (expiresAt === undefined || mac === undefined || state === undefined) throw cannotContinue();
    const data = signed(state, binding, Number(expiresAt));
    const key = await this.#keyed();
    const isOurs = await crypto.subtle.verify(ALGORITHM.name, key, fromHex(mac), data);
    if (!isOurs || this.#ports.clock.monotonic() >= Number(expiresAt)) throw cannotContinue();
    return state;
  }

  #keyed(): Promise<CryptoKey> {
    return this.#key ??= crypto.subtle.importKey(
      "raw",
      new Uint8Array(this.#ports.random.bytes(KEY_BYTES)),
      ALGORITHM,
      false,
      ["sign", "verify"],
    );
  }
}

function signed(state: string, binding: string, expiresAt: number): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify([expiresAt, binding, state]));
}

function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    { length: text.length / 2 },
    (_, at) => Number.parseInt(text.slice(at * 2, at * 2 + 2), 16),
  );
}
