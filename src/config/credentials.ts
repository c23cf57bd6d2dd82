/** What counts as a credential, and how it looks in output. */

/** Stands for a secret in source lines. */
export const BULLETS = '"••••••••"';

const CREDENTIAL_WORDS = new Set([
  "token",
  "secret",
  "password",
  "passwd",
  "passphrase",
  "pwd",
  "pat",
  "apikey",
  "auth",
  "authorization",
  "bearer",
  "credential",
  "credentials",
  "cookie",
  "dsn",
]);

/** A key of these kinds is nothing to hide. */
const HARMLESS_KEYS = new Set(["public", "primary", "foreign", "sort", "partition", "idempotency"]);

/** Names that end so tell about a credential, but are none. */
const ABOUT = new Set([
  "file",
  "path",
  "dir",
  "name",
  "id",
  "type",
  "mode",
  "method",
  "scheme",
  "sock",
  "endpoint",
  "issuer",
  "ttl",
  "limit",
  "count",
  "length",
  "timeout",
  "enabled",
  "required",
]);

/** Values nobody would keep secret, under whatever name. */
const HARMLESS_VALUE = /^(|true|false|yes|no|on|off|none|null|auto|\d{1,5})$/i;

/** True when a header, variable or key of this name usually holds a credential. */
export function looksLikeCredential(name: string): boolean {
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase().split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  const last = words.at(-1) ?? "";
  if (ABOUT.has(last)) return false;
  if (last === "key") return !HARMLESS_KEYS.has(words.at(-2) ?? "");
  return words.some((word) => CREDENTIAL_WORDS.has(word));
}

/** True for flags and small numbers, which are no credential under any name. */
export function isHarmless(value: string): boolean {
  return HARMLESS_VALUE.test(value);
}

/** The password of a URL as written, or undefined. */
export function passwordOf(url: string): string | undefined {
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#\s]*?:([^/?#\s]+)@/.exec(url)?.[1];
}

/** True when a URL carries a user name or password. */
export function hasUserInfo(url: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*@/.test(url);
}
