/** What the platform hands over with each request. */

/** Variables, secrets and whatever else is bound; texts alone are looked at. */
export type Bindings = Readonly<Record<string, unknown>>;

/** What goes on after the answer is given to the platform, which waits for it. */
export interface RequestContext {
  waitUntil(promise: Promise<unknown>): void;
}

/** Name of the text that holds the configuration, as TOML. */
export const CONFIG = "SENTINEL_CONFIG";
/** Where SQL is posted, for a database that is not Neon's. */
export const SQL_ENDPOINT = "SENTINEL_SQL_ENDPOINT";
/** Where commands of Redis are posted; default: `https://` and the host of `sessions.url`. */
export const REDIS_ENDPOINT = "SENTINEL_REDIS_ENDPOINT";
/** A secret all isolates have: what one has sealed, another opens. */
export const STATE_KEY = "SENTINEL_STATE_KEY";
/** `yes`: everybody may call. */
export const WITHOUT_SIGN_IN = "SENTINEL_WITHOUT_SIGN_IN";

export function textsOf(bindings: Bindings): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(bindings).filter((entry): entry is [string, string] =>
      typeof entry[1] === "string"
    ),
  );
}
