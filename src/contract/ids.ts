/** Branded strings, so that a session id cannot be passed where a backend's name is meant. */

declare const brand: unique symbol;
type Brand<Name extends string> = string & { readonly [brand]: Name };

/** UUIDv7 of one call; the same in error data, log and audit. */
export type RequestId = Brand<"RequestId">;
/** Front session: visible ASCII, at least 122 random bits. Never an authentication. */
export type SessionId = Brand<"SessionId">;
/** Table name of a backend in `sentinel.toml`: `[a-z0-9][a-z0-9_-]*`, at most 64 characters. */
export type BackendName = Brand<"BackendName">;
/** Name under which the catalog shows a tool or prompt. */
export type ExposedName = Brand<"ExposedName">;

/** What a backend's table name (and an alias, and a toolset) may look like. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
