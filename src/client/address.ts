/** The URL of a request. */
import type { RouteRow } from "../contract/manage/mod.ts";
import { ManagementError } from "./errors.ts";

type Params = Readonly<Record<string, string>>;
export type Query = Readonly<Record<string, string | number | undefined>>;

/** Values of a route's parameters and query. */
export interface Filling {
  readonly params?: Params;
  readonly query?: Query;
}

/**
 * Path and query of a route, filled in.
 * @throws ManagementError `not_found` for a name that no path can carry
 */
export function addressOf({ path }: RouteRow, { params = {}, query = {} }: Filling): string {
  const filled = path.replace(/:(\w+)/g, (_match, name: string) => segmentOf(name, params[name]));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value));
  }
  return search.size === 0 ? filled : `${filled}?${search.toString()}`;
}

/** Dots alone (also encoded) would climb in the path, an empty segment would be another route. */
function segmentOf(name: string, value: string | undefined): string {
  const text = value ?? "";
  if (/^\.{0,2}$/.test(text) || !text.isWellFormed()) {
    throw new ManagementError("not_found", `There is no ${name} ${JSON.stringify(text)}`);
  }
  return encodeURIComponent(text);
}
