/** Redis over HTTP in front of a real Redis, in the words of Upstash: a command is a POST of a JSON array. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createClient } from "redis";
import { bodyOf, type HttpFixture, serveHttp } from "../support/http_fixture.ts";

/** What a client must show as bearer token. */
export const REDIS_TOKEN = "token-of-the-redis/of+tests";

/** @param url of the real server */
export async function startRedisBridge(url: string): Promise<HttpFixture> {
  const client = createClient({ url });
  client.on("error", () => {});
  await client.connect();
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const args = JSON.parse(await bodyOf(request)) as string[];
    if (request.headers.authorization !== `Bearer ${REDIS_TOKEN}`) {
      response.writeHead(401).end('{"error":"WRONGPASS invalid token"}');
      return;
    }
    try {
      response.end(JSON.stringify({ result: await client.sendCommand(args) ?? null }));
    } catch (cause) {
      response.writeHead(400).end(JSON.stringify({ error: (cause as Error).message }));
    }
  };
  const fixture = await serveHttp(answer);
  const close = async () => {
    client.destroy();
    await fixture.close();
  };
  return { url: fixture.url, close, [Symbol.asyncDispose]: close };
}
