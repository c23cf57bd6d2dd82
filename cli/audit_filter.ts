/** The filter that the options of an audit command make together. */
import type { GlobalOptions } from "./output.ts";

export interface AuditFilterOptions extends GlobalOptions {
  readonly filter?: string;
  readonly since?: string;
  readonly until?: string;
}

/** Terms and options as one filter; all of them have to match. */
export function filterText(
  { filter, since, until }: AuditFilterOptions,
  terms: readonly string[] = [],
): string {
  return [
    ...terms,
    ...(since === undefined ? [] : [`since:"${since}"`]),
    ...(until === undefined ? [] : [`until:"${until}"`]),
    ...(filter === undefined ? [] : [filter]),
  ].join(" ").trim();
}
