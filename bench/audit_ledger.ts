/** Whether the audit of a gateway has every call that was made. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { BenchError } from "./errors.ts";

/** What the store may take for the rows that wait when the last slice has ended. */
const DELIVERED_MS = 60_000;
const LOOK_MS = 100;

/** One gateway whose audit goes to SQLite. */
export interface Audited {
  /** Management API. */
  readonly management: URL | undefined;
  /** Token of an operator who may read. */
  readonly operator: string;
  /** `$XDG_STATE_HOME` of the gateway. */
  readonly state: string;
  /** `server.name`. */
  readonly name: string;
}

/** The record of calls as it stands. */
export interface Ledger {
  /** Rows of calls in the database. */
  readonly stored: number;
  /** Rows on their way there. */
  readonly queued: number;
  readonly dropped: number;
}

/** Waits until the store has all rows, a minute at most, and counts them. */
export async function readLedger(audited: Audited): Promise<Ledger> {
  const limit = performance.now() + DELIVERED_MS;
  for (;;) {
    const { queued, dropped } = await account(audited);
    if (queued === 0 || performance.now() > limit) {
      return { stored: storedCalls(audited), queued, dropped };
    }
    await delay(LOOK_MS);
  }
}

/** What is wrong with a ledger of so many calls; undefined when it is complete. */
export function mistakeOf({ stored, queued, dropped }: Ledger, calls: number): string | undefined {
  if (stored + queued === calls && dropped === 0) return undefined;
  return `${calls} calls, but ${stored} rows in the audit, ${queued} queued, ${dropped} dropped`;
}

async function account({ management, operator }: Audited): Promise<Omit<Ledger, "stored">> {
  const headers = { authorization: `Bearer ${operator}` };
  const response = await fetch(new URL("/manage/v1/status", management), { headers });
  if (!response.ok) throw new BenchError(`Cannot read the status: status ${response.status}`);
  const { audit } = await response.json() as { audit?: Omit<Ledger, "stored"> };
  if (audit !== undefined) return audit;
  throw new BenchError("Cannot read the account of the audit: build the gateway again");
}

function storedCalls({ state, name }: Audited): number {
  const gateways = join(state, "mcp-sentinel", "gateways");
  const folder = readdirSync(gateways).find((entry) => entry.startsWith(`${name}-`));
  if (folder === undefined) throw new BenchError(`Cannot find the folder of the gateway "${name}"`);
  const database = new DatabaseSync(join(gateways, folder, "audit.sqlite"), { readOnly: true });
  try {
    return Number(database.prepare(COUNT).get()?.["calls"]);
  } finally {
    database.close();
  }
}

const COUNT = "SELECT count(*) AS calls FROM audit WHERE kind = 'call'";
