/** The audit as the management API of a gateway gives it. */
import type { AuditRecord } from "../src/contract/audit.ts";
import { rowText } from "../src/contract/audit_chain.ts";
import { MAX_PAGE } from "../src/contract/manage/mod.ts";
import { Follower, rowsOf } from "./audit_follow.ts";
import type { AuditAsked, AuditFound, AuditItem, AuditSource } from "./audit_source.ts";
import { asFailure, connect, type Connection } from "./management.ts";
import type { TargetRequest } from "./target.ts";

/** @throws CommandFailed when no gateway is found */
export async function openApiAudit(request: TargetRequest): Promise<AuditSource> {
  let connection = await connect(request);
  const { client, wait, longWait } = connection;
  return {
    name: connection.target.name,
    search: (asked) => search(connection, asked),
    each: (filter) => each(connection, filter),
    runs: () => asFailure(() => Array.fromAsync(client.all("auditRuns", longWait))),
    run: async (instance, after) => {
      const { items } = await rowsOf(connection, { instance, after, limit: MAX_PAGE });
      return items.map(itemOf);
    },
    follow: (filter) => {
      const follower = new Follower(filter);
      return () => follower.news(connection);
    },
    // A gateway that was started again may listen elsewhere and have another token.
    reopen: async () => void (connection = await connect(request)),
    waiting: async () => (await asFailure(() => client.request("status", wait))).audit.queued,
    close: () => Promise.resolve(),
  };
}

async function search(
  connection: Connection,
  { filter, order, limit }: AuditAsked,
): Promise<AuditFound> {
  const items: AuditRecord[] = [];
  let after: string | undefined;
  do {
    const size = Math.min(MAX_PAGE, limit - items.length);
    const page = await pageOf(connection, { filter, order, after, limit: size });
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined && items.length < limit);
  return { items, isMore: after !== undefined };
}

async function* each(
  connection: Connection,
  filter: string,
): AsyncGenerator<readonly AuditItem[], void> {
  let after: string | undefined;
  do {
    const page = await pageOf(connection, { filter, order: "oldest", after, limit: MAX_PAGE });
    yield page.items.map(itemOf);
    after = page.next;
  } while (after !== undefined);
}

/** One page; a store with many rows that do not match takes its time. */
async function pageOf(
  { client, longWait }: Connection,
  { filter, ...asked }: AuditAsked & { readonly after: string | undefined },
) {
  const query = { ...asked, filter: filter === "" ? undefined : filter };
  return await asFailure(() => client.request("audit", { query, ...longWait }));
}

function itemOf(record: AuditRecord): AuditItem {
  return { record, text: rowText(record) };
}
