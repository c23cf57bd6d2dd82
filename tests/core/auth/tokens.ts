/** Real keys and tokens of every kind, and an issuer on loopback that rotates, hangs and lies. */
import { Buffer } from "node:buffer";
import { webcrypto } from "node:crypto";
import type { ServerResponse } from "node:http";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from "jose";
import { type HttpFixture, serveHttp } from "../../support/http_fixture.ts";

export const AUDIENCE = "https://mcp.example.com";

export interface SigningKey {
  readonly algorithm: string;
  readonly kid: string;
  readonly sign: CryptoKey | Uint8Array;
  readonly jwk: JWK;
}

export async function createKey(algorithm: string, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = { ...await exportJWK(publicKey), kid, alg: algorithm, use: "sig" };
  return { algorithm, kid, sign: privateKey, jwk };
}

export function secretKey(algorithm: string, secret: string): SigningKey {
  return { algorithm, kid: "", sign: new TextEncoder().encode(secret), jwk: {} };
}

export interface TokenParts {
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Undefined values leave a member out. */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A token with everything right, except where the parts say otherwise. */
export function tokenOf(key: SigningKey, { issuer, now, header, claims }: TokenParts) {
  const exp = Math.floor(now / 1000) + 600;
  const kid = key.kid === "" ? {} : { kid: key.kid };
  return signRaw(
    key,
    JSON.stringify({ alg: key.algorithm, ...kid, typ: "JWT", ...header }),
    JSON.stringify({ iss: issuer, aud: AUDIENCE, sub: "anna", exp, ...claims }),
  );
}

/** Signs texts as they are: also those no library would write. */
export async function signRaw(key: SigningKey, head: string, payload: string): Promise<string> {
  const input = `${base64Url(head)}.${base64Url(payload)}`;
  return `${input}.${Buffer.from(await signatureOf(key, input)).toString("base64url")}`;
}

export function base64Url(text: string): string {
  return Buffer.from(text).toString("base64url");
}

async function signatureOf({ algorithm, sign }: SigningKey, input: string): Promise<ArrayBuffer> {
  const data = new TextEncoder().encode(input);
  const hash = `SHA-${algorithm.slice(2)}`;
  if (sign instanceof Uint8Array) {
    const raw = Uint8Array.from(sign);
    const key = await webcrypto.subtle.importKey("raw", raw, { name: "HMAC", hash }, false, [
      "sign",
    ]);
    return await webcrypto.subtle.sign("HMAC", key, data);
  }
  const { name } = sign.algorithm;
  if (name === "ECDSA") return await webcrypto.subtle.sign({ name, hash }, sign, data);
  if (name !== "RSA-PSS") return await webcrypto.subtle.sign({ name }, sign, data);
  return await webcrypto.subtle.sign(
    { name, saltLength: Number(algorithm.slice(2)) / 8 },
    sign,
    data,
  );
}

type Behaviour = (response: ServerResponse) => void | Promise<void>;

/** The key server of an issuer. */
export class KeyServer implements AsyncDisposable {
  keys: readonly JWK[];
  /** Requests so far. */
  fetches = 0;
  /** What it does instead of answering with its keys. */
  behaviour: Behaviour | undefined;
  readonly #fixture: HttpFixture;

  private constructor(fixture: HttpFixture, keys: readonly JWK[]) {
    this.#fixture = fixture;
    this.keys = keys;
  }

  static async start(keys: readonly JWK[]): Promise<KeyServer> {
    const started: { server?: KeyServer } = {};
    const fixture = await serveHttp((_request, response) => started.server?.answer(response));
    return started.server = new KeyServer(fixture, keys);
  }

  get url(): string {
    return new URL("/keys", this.#fixture.url).href;
  }

  answer(response: ServerResponse): void | Promise<void> {
    this.fetches++;
    if (this.behaviour !== undefined) return this.behaviour(response);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ keys: this.keys }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#fixture.close();
  }
}
