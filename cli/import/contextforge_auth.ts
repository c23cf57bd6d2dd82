/** How ContextForge signs in to a gateway, as headers. */
import { Buffer } from "node:buffer";
import { isTable, type Table, tableAt, textAt } from "../../src/config/raw.ts";
import type { Named } from "./draft.ts";
import type { Part } from "./text.ts";
import { shout } from "./variables.ts";

export interface Auth {
  readonly headers: Named;
  /** What the import could not do, and what to do instead. */
  readonly problem?: string;
}

const NONCE_BYTES = 12;
const SCHEME = /^(Bearer|Basic|Token) /;
const BY_HAND: Readonly<Record<string, string>> = {
  oauth: "it signs in with OAuth, which exports do not hold: get a token and set it as a header",
  query_param: "its credential is a parameter of the URL, which exports do not hold: add it to url",
  one_time_auth: "each of its callers brought a credential of their own: set one as a header",
};

/**
 * The headers of a gateway's `auth_type`. Exports hold them encrypted with `AUTH_ENCRYPTION_SECRET`; without
 * it they become references to variables that have to be set.
 */
export async function authOf(
  gateway: Table,
  server: string,
  encryptionSecret: string | undefined,
): Promise<Auth> {
  const type = textAt(gateway, "auth_type")?.toLowerCase() ?? "";
  if (type === "" || type === "none") return { headers: [] };
  const byHand = Object.hasOwn(BY_HAND, type) ? BY_HAND[type] : undefined;
  if (byHand !== undefined) return { headers: [], problem: byHand };
  const plain = plainHeaders(gateway, type) ??
    await decrypted(textAt(gateway, "auth_value"), encryptionSecret);
  if (plain !== undefined) return { headers: Object.entries(plain).flatMap(header) };
  return unknown(type, server);
}

/** Exports made through other ways than the command have the values as they are. */
function plainHeaders(gateway: Table, type: string): Table | undefined {
  const text = (key: string) => textAt(gateway, key);
  const [user, password, token] = [
    text("auth_username"),
    text("auth_password"),
    text("auth_token"),
  ];
  if (type === "basic" && user !== undefined && isPlain(password)) {
    return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
  }
  if (type === "bearer" && isPlain(token)) return { Authorization: `Bearer ${token}` };
  const [name, value] = [text("auth_header_key"), text("auth_header_value")];
  if (name !== undefined && isPlain(value)) return { [name]: value };
  const value2 = tableAt(gateway, "auth_value");
  return Object.keys(value2).length > 0 ? value2 : undefined;
}

/** `*****` stands where a value was hidden. */
function isPlain(text: string | undefined): text is string {
  return text !== undefined && text !== "" && !/^\*+$/.test(text);
}

/** AES-256-GCM under the hash of the secret: nonce, text, tag, in base64url. */
async function decrypted(
  value: string | undefined,
  secret: string | undefined,
): Promise<Table | undefined> {
  if (value === undefined || !secret) return undefined;
  try {
    const bytes = Buffer.from(value, "base64url");
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
    const key = await crypto.subtle.importKey("raw", hash, "AES-GCM", false, ["decrypt"]);
    const iv = bytes.subarray(0, NONCE_BYTES);
    const text = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv },
      key,
      bytes.subarray(NONCE_BYTES),
    );
    const parsed: unknown = JSON.parse(new TextDecoder().decode(text));
    return isTable(parsed) ? parsed : undefined;
  } catch {
    return undefined; // another secret: the note says what to do
  }
}

function header([name, value]: [string, unknown]): Named {
  if (typeof value !== "string" || value === "") return [];
  const scheme = SCHEME.exec(value)?.[0] ?? "";
  const hint = scheme === "" ? name.replace(/^x-/i, "") : "TOKEN";
  const secret: Part = { secret: value.slice(scheme.length), hint, isNamed: false };
  return [[name, scheme === "" ? [secret] : [scheme, secret]]];
}

function unknown(type: string, server: string): Auth {
  const again = "set AUTH_ENCRYPTION_SECRET to that of ContextForge and import again";
  if (type === "authheaders") {
    return { headers: [], problem: `its headers are encrypted: ${again}, or write them yourself` };
  }
  const variable = `${shout(server)}_TOKEN`;
  const scheme = type === "basic" ? "Basic " : "Bearer ";
  const what = type === "basic" ? "user:password in base64" : "the token";
  return {
    headers: [["Authorization", [scheme, { variable }]]],
    problem: `its credential is encrypted: ${again}, or set ${variable} to ${what}`,
  };
}
