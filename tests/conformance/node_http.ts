/** Web requests and responses on a server of `node:http`. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** The request with its body, which has been read already. */
export function toRequest({ url = "/", method = "GET", headers }: IncomingMessage, body: string) {
  const entries = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    Array.isArray(value) ? value.join(", ") : value ?? "",
  ]);
  return new Request(new URL(url, `http://${headers.host}`), {
    method,
    headers: entries.filter(([name]) => name !== "content-length" && name !== "connection"),
    body,
  });
}

/** Writes the response as it comes; a client that goes away cancels it. */
export async function writeResponse(response: ServerResponse, web: Response): Promise<void> {
  response.writeHead(web.status, Object.fromEntries(web.headers));
  response.flushHeaders();
  const reader = web.body?.getReader();
  response.once("close", () => void reader?.cancel().catch(() => {}));
  for (;;) {
    const part = await reader?.read();
    if (part === undefined || part.done) break;
    response.write(part.value);
  }
  response.end();
}
