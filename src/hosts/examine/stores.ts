/** The stores that are servers: PostgreSQL for the audit, Redis for sessions and what replicas share. */
import type { Check } from "../../contract/diagnosis.ts";
import { type Config, SentinelError } from "../../contract/mod.ts";
import { SystemClock } from "../clock.ts";
import { brief } from "./state.ts";
import { type Bounds, TooLate, within } from "./within.ts";

/** Clocks that are this far apart make limits of replicas uneven. */
const APART_MS = 5000;

export interface StoresOptions extends Bounds {
  readonly config: Config;
}

/** @throws the reason of the signal */
export async function examineStores(options: StoresOptions): Promise<readonly Check[]> {
  const [audit, sessions] = await Promise.all([auditChecks(options), sessionChecks(options)]);
  return [...audit, ...sessions];
}

async function auditChecks(options: StoresOptions): Promise<readonly Check[]> {
  const { store, url, migrate } = options.config.audit;
  const row = { section: "audit", name: store } as const;
  if (store === "off") {
    const cure = 'set  store = "sqlite"  in [audit] to know who called what';
    return [{ ...row, level: "warn", text: "nothing is recorded", cure }];
  }
  if (store === "stdout") return [{ ...row, level: "ok", text: "rows go to stdout" }];
  if (store === "sqlite") return []; // told with the state folder
  try {
    const { probePostgres } = await import("../../stores/postgres/probe.ts");
    const deadlineMs = options.limitMs;
    const probe = await within(
      options,
      () => probePostgres({ url: url ?? "", migrate, deadlineMs }),
    );
    const { kind, place, server, version, newest, writeMs } = probe;
    const about = `${kind} ${server} at ${place}`;
    if (version === newest) {
      const text = `${about}, schema ${version} (current), write ${brief(writeMs)}`;
      return [{ ...row, level: "ok", text }];
    }
    if (migrate) {
      const text = `${about}, schema ${version}, ${newest} with the next start`;
      return [{ ...row, level: "ok", text }];
    }
    const cure = "start a gateway once with audit.migrate = true and a user that may create tables";
    return [{
      ...row,
      level: "fail",
      text: `${about}: schema ${version}, ${newest} is needed`,
      cure,
    }];
  } catch (thrown) {
    if (options.signal.aborted) throw thrown;
    return [{ ...row, level: "fail", ...auditWords(thrown) }];
  }
}

function auditWords(thrown: unknown): Pick<Check, "text" | "cure"> {
  if (thrown instanceof TooLate) {
    return { text: thrown.message, cure: "the server, or the way to it, hangs" };
  }
  if (!(thrown instanceof SentinelError)) throw thrown;
  const [text = "", ...cure] = thrown.message.split("; ");
  return { text, cure: cure.join("; ") || "look at the log of the database server" };
}

async function sessionChecks(options: StoresOptions): Promise<readonly Check[]> {
  const { config: { sessions: { store, url }, server: { name: gateway } } } = options;
  const row = { section: "sessions", name: store } as const;
  if (store === "sqlite") return []; // told with the state folder
  if (store !== "redis" || url === undefined) {
    return [{ ...row, level: "ok", text: "end with the gateway; one replica only" }];
  }
  try {
    const { probeRedis } = await import("../../stores/redis/probe.ts");
    const clock = new SystemClock();
    const probe = await within(options, () => probeRedis({ url, gateway, clock }));
    const { server, writeMs, aheadMs, risks } = probe;
    const text = `redis ${server}`.trim() +
      `, shared by replicas named "${gateway}", write ${brief(writeMs)}`;
    const detail = [...risks, ...clockLines(aheadMs)];
    if (detail.length === 0) return [{ ...row, level: "ok", text }];
    return [{ ...row, level: "warn", text, detail, cure: "change these settings of the server" }];
  } catch (thrown) {
    if (options.signal.aborted) throw thrown;
    return [{ ...row, level: "fail", ...redisWords(thrown, url) }];
  }
}

function clockLines(aheadMs: number): readonly string[] {
  if (Math.abs(aheadMs) < APART_MS) return [];
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  return [`its clock is ${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} ours`];
}

const CURES: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, "start the server, or correct host and port of sessions.url"],
  [/ENOTFOUND|EAI_AGAIN/, "correct the host in sessions.url, or ask your name service"],
  [/WRONGPASS|NOAUTH|AUTH/, "correct user and password in sessions.url"],
  [/NOPERM/, "let the user write keys that begin with mcp-sentinel:"],
  [/READONLY/, "name the primary in sessions.url: a replica takes no writes"],
  [/OOM/, "give the server more memory, or free some"],
  [
    /certificate/i,
    "name the authority of its certificate: NODE_EXTRA_CA_CERTS=FILE in the environment",
  ],
];

function redisWords(thrown: unknown, url: string): Pick<Check, "text" | "cure"> {
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  const { host } = new URL(url);
  const known = CURES.find(([pattern]) => pattern.test(reason))?.[1];
  return {
    text: `Cannot use Redis at ${host}: ${reason}`,
    cure: known ?? "the server, or the way to it, hangs: look at its log",
  };
}
