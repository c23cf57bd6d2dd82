/** SQL over HTTP in front of a real PostgreSQL, in the words of Neon's proxy: a POST is one transaction. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Client, type QueryArrayResult } from "pg";
import { bodyOf, type HttpFixture, serveHttp } from "../support/http_fixture.ts";

interface Statement {
  readonly query: string;
  readonly params: readonly unknown[];
}

/** Values stay the text that the database sends. */
const AS_TEXT = { getTypeParser: () => (value: unknown) => value };

/** The connection string comes with each request. */
export function startSqlBridge(): Promise<HttpFixture> {
  return serveHttp(answer, "/sql");
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const connectionString = String(request.headers["neon-connection-string"]);
  const body = JSON.parse(await bodyOf(request)) as Statement | { queries: readonly Statement[] };
  const client = new Client({ connectionString });
  client.on("error", () => {});
  try {
    await client.connect();
    const found = "queries" in body
      ? { results: await transaction(client, body.queries) }
      : await run(client, body);
    response.end(JSON.stringify(found));
  } catch (cause) {
    const { message, code } = cause as Error & { readonly code?: string };
    response.writeHead(400).end(JSON.stringify({ message, code }));
  } finally {
    await client.end();
  }
}

async function transaction(client: Client, statements: readonly Statement[]) {
  await client.query("begin");
  const results = [];
  for (const statement of statements) results.push(await run(client, statement));
  await client.query("commit");
  return results;
}

async function run(client: Client, { query, params }: Statement) {
  const { command, rowCount, fields, rows }: QueryArrayResult<unknown[]> = await client.query({
    text: query,
    values: [...params],
    rowMode: "array",
    types: AS_TEXT,
  });
  const named = fields.map(({ name, dataTypeID }) => ({ name, dataTypeID }));
  return { command, rowCount, fields: named, rows, rowAsArray: true };
}
