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
  const { store, schemes, example } = need;
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
  if (schemes.includes(new URL(url).protocol)) return;
  const message = `the URL of store ${quote(store)} has the wrong scheme`;
  const hint = `it begins with ${schemes.map((scheme) => `${scheme}//`).join(" or ")}`;
  report({ code: "wrong_value", path, at: "value", message, hint });
}
