/** Finds the route of a request; itty-router matches the paths of the table. */
import { IttyRouter } from "itty-router";
import { type RouteName, ROUTES } from "../contract/manage/mod.ts";
import { SentinelError } from "../contract/mod.ts";

/** A route with its parameters as they stand in the path. */
export interface Found {
  readonly name: RouteName;
  readonly params: Readonly<Record<string, string>>;
}

/** The part of the router that is used; it wants no Request. */
interface Router {
  readonly routes: [string, RegExp, ((request: Matched) => Found)[], string?][];
  fetch(request: { method: string; url: string }): Promise<Found | undefined>;
}

interface Matched {
  readonly params: Readonly<Record<string, string>>;
}

const NAMES = Object.keys(ROUTES) as RouteName[];
const router = IttyRouter() as unknown as Router & Record<string, Register>;
type Register = (path: string, handler: (request: Matched) => Found) => void;

for (const name of NAMES) {
  const { method, path } = ROUTES[name];
  router[method.toLowerCase()]?.(path, ({ params }) => ({ name, params }));
}

/** Any base does: only the path is looked at. */
const BASE = "http://gateway";

/**
 * @throws SentinelError NOT_FOUND, or BAD_HTTP with status 405 for a method that the path has not
 */
export async function findRoute(method: string, path: string): Promise<Found> {
  const url = BASE + path;
  // A path that a URL would write otherwise (dots, backslashes, doubled slashes at its start) could be
  // one thing for a proxy's rules and another for us; a slash at its end the router would overlook.
  const isPlain = URL.canParse(url) && new URL(url).pathname === path && !path.endsWith("/");
  if (!isPlain) throw unknownRoute();
  const found = await router.fetch({ method, url });
  if (found !== undefined) return found;
  const allow = allowedMethods(path);
  if (allow.length === 0) throw unknownRoute();
  throw new SentinelError("BAD_HTTP", `Cannot ${shortened(method)} this path`, {
    http: 405,
    reason: `allowed: ${allow.join(", ")}`,
  });
}

/** Methods of a path, for the header `allow`. */
export function allowedMethods(path: string): readonly string[] {
  return router.routes.filter(([, pattern]) => pattern.test(path)).map(([method]) => method);
}

function unknownRoute(): SentinelError {
  return new SentinelError("NOT_FOUND", "The management API has no such path", {
    reason: "GET /manage/v1/openapi.json lists all of them",
  });
}

function shortened(method: string): string {
  return method.slice(0, 20);
}
