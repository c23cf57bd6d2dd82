/** The public keys of one issuer, fetched when a token needs them. */
import type { CryptoKey, JSONWebKeySet } from "jose";
import type { Clock } from "../../ports/clock.ts";
import type { HttpClient } from "../../ports/http_client.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import { settlesWithin } from "../runtime/deadline.ts";
import { loadJose } from "./load_jose.ts";
import { TokenRefused, type UnverifiedToken } from "./token.ts";

const MAX_BYTES = 256 * 1024;
const MAX_KEYS = 100;
const TIMEOUT_MS = 5000;
/** Between two fetches, whatever tokens ask for. */
const COOLDOWN_MS = 30_000;
/** Keys older than this are fetched again, beside the request that needs them. */
const FRESH_MS = 10 * 60_000;
/** How long the last keys are used while newer ones cannot be had. */
const STALE_MS = FRESH_MS + 60 * 60_000;
/** How long a token with an unknown key waits for newer keys: it may be any caller's invention. */
const NEWER_KEYS_MS = 40;

type FindKey = (header: { alg: string; kid?: string }) => Promise<CryptoKey>;

export interface JwksPorts {
  readonly clock: Clock;
  readonly http: HttpClient;
  /** Called when a fetch failed. */
  readonly failed: (reason: string) => void;
}

export class Jwks {
  readonly #url: URL;
  readonly #ports: JwksPorts;
  #find: FindKey | undefined;
  /** Monotonic time of the keys. */
  #fetchedAt = -Infinity;
  #triedAt = -Infinity;
  #fetching: Promise<void> | undefined;

  constructor(url: string, ports: JwksPorts) {
    this.#url = new URL(url);
    this.#ports = ports;
  }

  /**
   * The keys that may have signed the token: mostly one, several when the issuer gives them no names.
   * @throws TokenRefused `signature` (no such key), `jwks_unavailable`
   */
  async keysFor(token: UnverifiedToken): Promise<readonly CryptoKey[]> {
    const age = this.#ports.clock.monotonic() - this.#fetchedAt;
    if (age >= STALE_MS) await this.#refresh();
    else if (age >= FRESH_MS) void this.#refresh();
    let keys = await this.#known(token);
    if (keys.length > 0) return keys;
    await settlesWithin(this.#refresh(), NEWER_KEYS_MS, this.#ports.clock);
    keys = await this.#known(token);
    if (keys.length > 0) return keys;
    throw new TokenRefused("signature", "the issuer has no such key");
  }

  async #known({ algorithm, kid }: UnverifiedToken): Promise<readonly CryptoKey[]> {
    const find = this.#find;
    if (find === undefined || this.#ports.clock.monotonic() - this.#fetchedAt >= STALE_MS) {
      throw new TokenRefused("jwks_unavailable", "the keys of the issuer cannot be had");
    }
    const { errors } = await loadJose();
    try {
      return [await find({ alg: algorithm, ...(kid === undefined ? {} : { kid }) })];
    } catch (cause) {
      if (cause instanceof errors.JWKSMultipleMatchingKeys) return await Array.fromAsync(cause);
      if (cause instanceof errors.JWKSNoMatchingKey) return [];
      throw new TokenRefused("signature", "the key of the issuer cannot be used", cause);
    }
  }

  /** Fetches, unless that was tried a moment ago. Never rejects. */
  #refresh(): Promise<void> {
    if (this.#fetching !== undefined) return this.#fetching;
    const now = this.#ports.clock.monotonic();
    if (now - this.#triedAt < COOLDOWN_MS) return Promise.resolve();
    this.#triedAt = now;
    return this.#fetching = this.#fetch()
      .catch((cause) => this.#ports.failed(cause instanceof Error ? cause.message : String(cause)))
      .finally(() => this.#fetching = undefined);
  }

  async #fetch(): Promise<void> {
    const text = await this.#download();
    const { createLocalJWKSet } = await loadJose();
    this.#find = createLocalJWKSet(parseKeys(text)) as FindKey;
    this.#fetchedAt = this.#ports.clock.monotonic();
  }

  async #download(): Promise<string> {
    const { clock, http } = this.#ports;
    const abort = new AbortController();
    const late = new Error(`no answer within ${TIMEOUT_MS / 1000} s`);
    const cancel = clock.after(TIMEOUT_MS, () => abort.abort(late));
    try {
      const response = await http.send({
        method: "GET",
        url: this.#url,
        headers: { accept: "application/jwk-set+json, application/json" },
        signal: abort.signal,
      });
      if (response.status === 200) return await response.text(MAX_BYTES);
      response.discard();
      throw new Error(`the answer has status ${response.status}`);
    } catch (cause) {
      throw abort.signal.aborted ? late : cause;
    } finally {
      cancel();
    }
  }
}

/** Only public keys; what else an issuer publishes is no business of a verifier. */
function parseKeys(text: string): JSONWebKeySet {
  const value: unknown = JSON.parse(text);
  const keys = isObject(value) ? value["keys"] : undefined;
  if (!Array.isArray(keys)) throw new Error("the answer is no set of keys");
  if (keys.length > MAX_KEYS) throw new Error(`more than ${MAX_KEYS} keys`);
  return { keys: keys.filter(isPublicKey) } as unknown as JSONWebKeySet;
}

function isPublicKey(key: unknown): key is JsonObject {
  return isObject(key) && typeof key["kty"] === "string" && key["kty"] !== "oct" &&
    key["d"] === undefined;
}
