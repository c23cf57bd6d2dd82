/** What must fit together in [audit] and [sessions]. */
import { quote, type Table, tableAt, textAt } from "../raw.ts";
import type { Report } from "./report.ts";

interface Need {
  readonly section: string;
  readonly store: string;
  readonly schemes: readonly string[];
  readonly example: string;
}

const NEEDS: readonly Need[] = [
  { section: "sessions", store: "redis", schemes: ["redis:", "rediss:"], example: "REDIS_URL" },
  {
    section: "audit",
    store: "postgres",
    schemes: ["postgres:", "postgresql:"],
    example: "DATABASE_URL",
  },
];

/** A store over the network needs its URL, and a URL needs such a store. */
export function checkStores(tree: Table, report: Report): void {
  for (const need of NEEDS) checkStore(need, tableAt(tree, need.section), report);
}

function checkStore(need: Need, section: Table, report: Report): void {
  const { store, example } = need;
  const remote = section["store"] === store;
  const path = [need.section, "url"];
  if (remote && !("url" in section)) {
    const message = `store ${quote(store)} needs a url`;
    const place = { path: [need.section, "store"], at: "value" } as const;
    report({ ...place, code: "missing_key", message, hint: `add  url = "\${env:${example}}"` });
  }
  if (!remote && "url" in section) {
    const message = `"url" has no meaning without store = ${quote(store)}`;
    const hint = `add  store = ${quote(store)}  or remove it`;
    report({ code: "conflict", path, at: "key", message, hint });
  }
  const url = textAt(section, "url");
  if (!remote || url === undefined || !URL.canParse(url)) return;
  const problem = problemOf(new URL(url), need);
  if (problem !== undefined) report({ code: "wrong_value", path, at: "value", ...problem });
}

function problemOf(
  url: URL,
  { store, schemes }: Need,
): { readonly message: string; readonly hint: string } | undefined {
  if (!schemes.includes(url.protocol)) {
    const hint = `it begins with ${schemes.map((scheme) => `${scheme}//`).join(" or ")}`;
    return { message: `the URL of store ${quote(store)} has the wrong scheme`, hint };
  }
  if (store === "redis" && !/^(\/\d{0,4})?$/.test(url.pathname)) {
    const hint = "after the port comes nothing, or the number of a database, as in /1";
    return { message: `the URL of store ${quote(store)} has a wrong path`, hint };
  }
  if (isEncoded(url.username) && isEncoded(url.password)) return undefined;
  const hint = "write % as %25, and other special characters the same way";
  return { message: `the URL of store ${quote(store)} has a stray % in its credentials`, hint };
}

function isEncoded(text: string): boolean {
  return !/%(?![0-9a-f]{2})/i.test(text);
}
