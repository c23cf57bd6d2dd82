/** A bearer token before anything of it is verified. */
import type { AuthFailure } from "../../contract/metrics.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";

/** Longer ones are refused before they are looked at. */
const MAX_TOKEN_CHARACTERS = 8192;
const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]*)$/i;
const VISIBLE = /^[\x21-\x7e]{1,200}$/;
/** RFC 9068 names access tokens; many issuers write what RFC 7519 has, or nothing. */
const TYPES: ReadonlySet<unknown> = new Set([
  undefined,
  "jwt",
  "at+jwt",
  "application/jwt",
  "application/at+jwt",
]);

/** Why a token is not accepted. Callers are told none of it. */
export class TokenRefused extends Error {
  readonly reason: AuthFailure;

  constructor(reason: AuthFailure, message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

/** What is needed to find the key. Nothing of it is proven. */
export interface UnverifiedToken {
  readonly text: string;
  readonly algorithm: string;
  readonly kid: string | undefined;
  readonly issuer: string;
}

/**
 * Takes a token out of the `Authorization` header.
 * @throws TokenRefused `malformed`
 */
export function readToken(authorization: string): UnverifiedToken {
  if (authorization.length > MAX_TOKEN_CHARACTERS) throw malformed("the token is too long");
  const text = BEARER.exec(authorization)?.[1];
  if (text === undefined) throw malformed("the header is not one bearer token of three parts");
  const [head = "", body = ""] = text.split(".");
  const header = parse(head);
  const { alg, kid, typ, crit } = header;
  if (typeof alg !== "string") throw malformed("the token names no algorithm");
  if (crit !== undefined) throw malformed('the token has "crit": no extension is understood');
  if (!TYPES.has(typeof typ === "string" ? typ.toLowerCase() : typ)) {
    throw malformed('"typ" is none of access tokens');
  }
  if (kid !== undefined && (typeof kid !== "string" || !VISIBLE.test(kid))) {
    throw malformed('"kid" is not 1 to 200 visible characters');
  }
  const issuer = parse(body)["iss"];
  if (typeof issuer !== "string") throw new TokenRefused("issuer", "the token names no issuer");
  return { text, algorithm: alg, kid, issuer };
}

/** A part of the token as object; two readers of duplicate members could see two tokens. */
function parse(part: string): JsonObject {
  let text: string;
  let value: unknown;
  try {
    text = fromBase64Url(part);
    value = JSON.parse(text);
  } catch (cause) {
    throw new TokenRefused("malformed", "a part of the token is not JSON", cause);
  }
  if (!isObject(value)) throw malformed("a part of the token is not an object");
  if (hasDuplicateMembers(text)) throw malformed("a part of the token has a member twice");
  return value;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function fromBase64Url(part: string): string {
  const binary = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  return decoder.decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

/** Looks at the members of the outermost object of a text that is JSON. */
function hasDuplicateMembers(text: string): boolean {
  const names = new Set<string>();
  let depth = 0;
  for (const [token, name] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (name !== undefined && depth === 1) {
      const plain = JSON.parse(name) as string;
      if (names.has(plain)) return true;
      names.add(plain);
    }
  }
  return false;
}

function malformed(message: string): TokenRefused {
  return new TokenRefused("malformed", message);
}
