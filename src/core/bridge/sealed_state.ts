/**
 * The `requestState` of a modern backend on its way through the client: what comes back is what was given,
 * from the same caller, for the same call, in time. It holds at every replica, and over a restart, where the
 * sessions have a store.
 */
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { SessionStore } from "../../ports/session_store.ts";
import { cannotContinue } from "./binding.ts";
import { toHex } from "./token.ts";

const ALGORITHM = { name: "HMAC", hash: "SHA-256" } as const;
const KEY_BYTES = 32;
/** Name of the key in the store. */
const SECRET = "states";
const SECRET_FORM = /^[0-9a-f]{64}$/;
const SEALED = /^sealed\.(\d{1,15})\.([0-9a-f]{64})\.([^]*)$/;

export interface SealPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Pick<SessionStore, "secret">;
}

export class SealedStates {
  readonly #ports: SealPorts;
  /** The key that all who share the store have. */
  #shared: Promise<CryptoKey | undefined> | undefined;
  /** In its place while the store is away: worth nothing elsewhere. */
  #own: Promise<CryptoKey> | undefined;

  constructor(ports: SealPorts) {
    this.#ports = ports;
    // Known before it is needed.
    void this.#sharedKey();
  }

  /**
   * @param binding what it is for
   * @param keepMs how long it can be used
   */
  async seal(state: string, binding: string, keepMs: number): Promise<string> {
    const expiresAt = Math.ceil(this.#ports.clock.now() + keepMs);
    const data = signed(state, binding, expiresAt);
    const key = await this.#sharedKey() ?? await this.#ownKey();
    const mac = await crypto.subtle.sign(ALGORITHM.name, key, data);
    return `sealed.${expiresAt}.${toHex(new Uint8Array(mac))}.${state}`;
  }

  /** @throws SentinelError INVALID_PARAMS, the same for whatever is wrong with it */
  async open(sealed: string, binding: string): Promise<string> {
    const [, expiresAt, mac, state] = SEALED.exec(sealed) ?? [];
    if (expiresAt === undefined || mac === undefined || state === undefined) throw cannotContinue();
    const data = signed(state, binding, Number(expiresAt));
    const isOurs = await this.#isOurs(fromHex(mac), data);
    if (!isOurs || this.#ports.clock.now() >= Number(expiresAt)) throw cannotContinue();
    return state;
  }

  async #isOurs(mac: Uint8Array<ArrayBuffer>, data: Uint8Array<ArrayBuffer>): Promise<boolean> {
    for (const key of [await this.#sharedKey(), await this.#own]) {
      const { name } = ALGORITHM;
      if (key !== undefined && await crypto.subtle.verify(name, key, mac, data)) return true;
    }
    return false;
  }

  /** Undefined while the store does not give it; asked again each time. */
  async #sharedKey(): Promise<CryptoKey | undefined> {
    const key = await (this.#shared ??= this.#askStore());
    if (key === undefined) this.#shared = undefined;
    return key;
  }

  async #askStore(): Promise<CryptoKey | undefined> {
    try {
      const secret = await this.#ports.store.secret(SECRET);
      return SECRET_FORM.test(secret) ? await imported(fromHex(secret)) : undefined;
    } catch {
      return undefined;
    }
  }

  #ownKey(): Promise<CryptoKey> {
    return this.#own ??= imported(new Uint8Array(this.#ports.random.bytes(KEY_BYTES)));
  }
}

function imported(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, ALGORITHM, false, ["sign", "verify"]);
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
