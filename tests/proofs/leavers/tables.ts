/** Configuration of the gateway in the proof of leavers. */
import { join } from "node:path";
import { executable, REPOSITORY } from "../../support/runtime.ts";
import type { Notebook } from "./notebook.ts";
import type { BACKENDS } from "./points.ts";
import type { Tables } from "../managed_gateway.ts";

/** Seconds that streams are kept for those that come back. */
export const KEEP_S = 2;
/** A gateway that hears late of its clients' leaving has many calls under way. */
const MANY = 1024;
const ROOM = { limits: { in_flight: MANY } };

/** @param urls backends over HTTP, one of each era */
export function tablesOf(
  notebook: Notebook,
  urls: { readonly remote: URL; readonly modern: URL },
): Tables {
  const pool = { max_connections: MANY };
  const backends: Record<typeof BACKENDS[number], Tables> = {
    "remote": { ...ROOM, pool, url: urls.remote.href },
    "remote-modern": { ...ROOM, pool, url: urls.modern.href },
    "child": { ...ROOM, ...childOf(notebook, []) },
    "child-modern": { ...ROOM, ...childOf(notebook, ["--era", "modern"]) },
  };
  return {
    sessions: { resume: { keep: `${KEEP_S}s` } },
    telemetry: { log: { level: "error" } },
    backends,
  };
}

function childOf({ port }: Notebook, args: readonly string[]): Tables {
  const program = join(REPOSITORY, "tests/proofs/leavers/child.ts");
  return { command: executable("node"), args: [program, "--notes", String(port), ...args] };
}
