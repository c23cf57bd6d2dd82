/** Who may come in: bearer tokens, compared by their digests. */
import type { Clock } from "../../ports/clock.ts";
import type { ManageToken } from "../options.ts";

/** A token that was presented and matched. */
export interface Credential {
  readonly token: ManageToken;
  readonly digest: Uint8Array;
}

/** Digests of the tokens that stood in the settings. */
interface Hashes {
  readonly of: readonly ManageToken[];
  readonly all: Promise<readonly Credential[]>;
}

/** Why a request has no credential; never told to the caller. */
export interface NoCredential {
  readonly why: string;
}

/** RFC 6750, section 2.1. */
const BEARER = /^Bearer +([\x21-\x7e]+)$/i;
const encoder = new TextEncoder();

export class Tokens {
  readonly #clock: Clock;
  readonly #current: () => readonly ManageToken[];
  #hashed: Hashes | undefined;

  constructor(current: () => readonly ManageToken[], clock: Clock) {
    this.#clock = clock;
    this.#current = current;
  }

  /** Judges the header `Authorization`. */
  async verify(authorization: string | undefined): Promise<Credential | NoCredential> {
    if (authorization === undefined) return { why: "no Authorization header" };
    const value = BEARER.exec(authorization)?.[1];
    if (value === undefined) return { why: "the Authorization header has no bearer token" };
    return await this.#find(await digestOf(value));
  }

  /** Whether a credential would still be accepted, with at least the scope it had. */
  async accepts({ token, digest }: Credential): Promise<boolean> {
    const found = await this.#find(digest);
    return "token" in found && (token.scope === "read" || found.token.scope === "admin");
  }

  async #find(digest: Uint8Array): Promise<Credential | NoCredential> {
    const now = this.#clock.now();
    let valid: ManageToken | undefined;
    let expired: ManageToken | undefined;
    for (const { token, digest: known } of await this.#all()) {
      if (!isEqual(known, digest)) continue;
      if (token.expires !== undefined && now >= token.expires) expired = token;
      else if (valid?.scope !== "admin") valid = token;
    }
    if (valid !== undefined) return { token: valid, digest };
    return { why: expired === undefined ? "unknown token" : `token "${expired.name}" has expired` };
  }

  #all(): Promise<readonly Credential[]> {
    const tokens = this.#current();
    if (this.#hashed?.of !== tokens) this.#hashed = hash(tokens);
    return this.#hashed.all;
  }
}

function hash(tokens: readonly ManageToken[]): Hashes {
  const one = async (token: ManageToken) => ({ token, digest: await digestOf(token.value) });
  return { of: tokens, all: Promise.all(tokens.map(one)) };
}

async function digestOf(value: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(value)));
}

/** Takes the same time wherever they differ. */
function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  let difference = 0;
  for (const [index, byte] of one.entries()) difference |= byte ^ (other[index] ?? 0);
  return difference === 0;
}
