/** Signatures and claims of tokens. Loaded with the first token: without sign-in nobody pays for it. */
import type { createLocalJWKSet, errors, jwtVerify } from "jose";

export interface Jose {
  readonly jwtVerify: typeof jwtVerify;
  readonly createLocalJWKSet: typeof createLocalJWKSet;
  readonly errors: typeof errors;
}

let loading: Promise<Jose> | undefined;

/** Only what is needed: all of it is ten times as much. */
export function loadJose(): Promise<Jose> {
  return loading ??= load();
}

async function load(): Promise<Jose> {
  const [{ jwtVerify }, { createLocalJWKSet }, errors] = await Promise.all([
    import("jose/jwt/verify"),
    import("jose/jwks/local"),
    import("jose/errors"),
  ]);
  return { jwtVerify, createLocalJWKSet, errors };
}
