/** How long modern clients may keep lists (protocol.md 3.8, 5): the strictest of what backends say. */
import type { JsonObject } from "../mcp/json.ts";
import type { BackendCatalog, CacheHints, CatalogSource } from "./types.ts";

/** More is not passed on: a day. */
const MAX_TTL_MS = 86_400_000;
/** No backend is read again more often because of its hints. */
const MIN_REREAD_MS = 60_000;
/** Share of the time by which a reading may come later, so that backends are not read all at once. */
const JITTER = 0.1;

/** What nothing may be assumed of. */
const NONE: CacheHints = { ttlMs: 0, scope: "private" };

/** Of one page; undefined where it says nothing that can be used. */
export type PageHints = CacheHints | undefined;

/** What one page of a list says; without a usable `ttlMs` it says nothing. */
export function hintsOf({ ttlMs, cacheScope }: JsonObject): PageHints {
  if (typeof ttlMs !== "number" || !Number.isInteger(ttlMs) || ttlMs < 0) return undefined;
  return {
    ttlMs: Math.min(ttlMs, MAX_TTL_MS),
    scope: cacheScope === "public" ? "public" : "private",
  };
}

/** Of all pages together; undefined when none of them says anything. */
export function strictest(pages: readonly PageHints[]): CacheHints | undefined {
  if (pages.every((page) => page === undefined)) return undefined;
  return combined(pages.map((page) => page ?? NONE));
}

/** For a list of several backends; one that says nothing has what the configuration says. */
export function mergedHints(
  backends: readonly CatalogSource["backends"][number][],
  isForAll: boolean,
): CacheHints {
  const parts = backends.map(({ config, found }): CacheHints =>
    found?.cache ?? { ttlMs: config.cache_ttl, scope: "private" }
  );
  const { ttlMs, scope } = combined(parts);
  return { ttlMs, scope: isForAll ? scope : "private" };
}

/**
 * Milliseconds after which what a backend offers should be read again, because it may be kept no longer;
 * undefined when it does not say. `fraction`: in [0, 1), for jitter.
 */
export function rereadAfter({ cache }: BackendCatalog, fraction = 0): number | undefined {
  if (cache === undefined || cache.ttlMs === 0) return undefined;
  return Math.round(Math.max(cache.ttlMs, MIN_REREAD_MS) * (1 + JITTER * fraction));
}

function combined(parts: readonly CacheHints[]): CacheHints {
  if (parts.length === 0) return NONE;
  return {
    ttlMs: Math.min(...parts.map(({ ttlMs }) => ttlMs)),
    scope: parts.every(({ scope }) => scope === "public") ? "public" : "private",
  };
}
