/** Tokens that were verified: the next request with one of them costs a look-up and no signature. */
import type { Principal } from "./principal.ts";

const MAX_TOKENS = 10_000;
/** Together; tokens are a few hundred characters, at most 8192. */
const MAX_CHARACTERS = 16 * 1024 * 1024;
/** Between two looks at what has expired. */
const SWEEP_MS = 60_000;

/** Characters a token is found by: the end of its signature. A hash over the whole text costs ten times as much. */
const KEY_CHARACTERS = 32;

interface Entry {
  readonly authorization: string;
  readonly principal: Principal;
}

export class TokenTable {
  /** The oldest come first. */
  readonly #entries = new Map<string, Entry>();
  #characters = 0;
  #sweptAt = 0;

  get size(): number {
    return this.#entries.size;
  }

  /**
   * @param authorization the whole header, so that a hit needs no parsing
   * @param now wall time, milliseconds since 1970
   */
  find(authorization: string, now: number): Principal | undefined {
    const key = keyOf(authorization);
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.authorization !== authorization) return undefined;
    if (isCurrent(entry.principal, now)) return entry.principal;
    this.#remove(key);
    return undefined;
  }

  put(authorization: string, principal: Principal, now: number): void {
    if (now - this.#sweptAt >= SWEEP_MS) this.#sweep(now);
    const key = keyOf(authorization);
    this.#remove(key);
    this.#entries.set(key, { authorization, principal });
    this.#characters += authorization.length;
    for (const oldest of this.#entries.keys()) {
      if (this.size <= MAX_TOKENS && this.#characters <= MAX_CHARACTERS) break;
      this.#remove(oldest);
    }
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [key, { principal }] of this.#entries) {
      if (!isCurrent(principal, now)) this.#remove(key);
    }
  }

  #remove(key: string): void {
    this.#characters -= this.#entries.get(key)?.authorization.length ?? 0;
    this.#entries.delete(key);
  }
}

function keyOf(authorization: string): string {
  return authorization.slice(-KEY_CHARACTERS);
}

function isCurrent({ expiresAt }: Principal, now: number): boolean {
  return expiresAt !== undefined && now < expiresAt;
}
