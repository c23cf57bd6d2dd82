/** New rows of a gateway, by polling: first of the run it is in, then of those after its restarts. */
import type { AuditRecord } from "../src/contract/audit.ts";
import { MAX_PAGE } from "../src/contract/manage/mod.ts";
import { asFailure, type Connection } from "./management.ts";

/** Beyond every row: asks which run the gateway is in, and for nothing of it. */
const BEYOND = 999_999_999_999_999;
const CURRENT = "current";

interface Followed {
  readonly instance: string;
  /** Number of the last row seen. */
  readonly after: number;
}

export class Follower {
  readonly #filter: string;
  #run: Followed | undefined;

  constructor(filter: string) {
    this.#filter = filter;
  }

  /**
   * Rows that came since the last call, a page at most; the first call finds the place where they will come.
   * @throws CommandFailed
   */
  async news(connection: Connection): Promise<readonly AuditRecord[]> {
    const run = this.#run;
    if (run === undefined) {
      this.#run = await endOf(connection);
      return [];
    }
    const items = await this.#page(connection, run);
    if (items.length > 0) return items;
    return await this.#afterRestart(connection, run);
  }

  /** What a run left is delivered before the first row of the next one. */
  async #afterRestart(connection: Connection, run: Followed): Promise<readonly AuditRecord[]> {
    const next = await rowsOf(connection, { instance: CURRENT, after: 0, limit: 1 });
    if (next.instance === run.instance || next.items.length === 0) return [];
    const left = await this.#page(connection, this.#run ?? run);
    if (left.length === 0) this.#run = { instance: next.instance, after: 0 };
    return left;
  }

  async #page(connection: Connection, run: Followed): Promise<readonly AuditRecord[]> {
    const filter = this.#filter === "" ? {} : { filter: this.#filter };
    const { items, last } = await rowsOf(connection, { ...run, limit: MAX_PAGE, ...filter });
    this.#run = { instance: run.instance, after: last };
    return items;
  }
}

async function endOf(connection: Connection): Promise<Followed> {
  const { client, longWait } = connection;
  const asked = { instance: CURRENT, after: BEYOND, limit: 1 };
  const { instance } = await rowsOf(connection, asked);
  const runs = await asFailure(() => Array.fromAsync(client.all("auditRuns", longWait)));
  return { instance, after: runs.find((run) => run.instance === instance)?.last ?? 0 };
}

interface Asked {
  readonly instance: string;
  readonly after: number;
  readonly limit: number;
  readonly filter?: string;
}

/** A page of a run. @throws CommandFailed */
export async function rowsOf({ client, longWait }: Connection, { instance, ...query }: Asked) {
  return await asFailure(() =>
    client.request("auditRun", { params: { instance }, query, ...longWait })
  );
}
