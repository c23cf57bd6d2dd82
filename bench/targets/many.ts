/** Many backends in one process, told apart by their path, each with `echo` and tools nobody calls. */
import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import process from "node:process";
import { answer, type RequestMessage } from "./echo_tools.ts";
import { listen } from "./listen.ts";

const TYPE = { "content-type": "application/json" };
const tools = toolsOf(Number(process.argv[2] ?? 20));

async function web(request: Request): Promise<Response> {
  if (request.method !== "POST") return new Response(null, { status: refusal(request.method) });
  const body = await reply(await request.json() as RequestMessage);
  if (body === undefined) return new Response(null, { status: 202 });
  return new Response(body, { headers: TYPE });
}

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "POST") {
    response.writeHead(refusal(request.method)).end();
    return;
  }
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = await reply(JSON.parse(Buffer.concat(parts).toString()) as RequestMessage);
  if (body === undefined) response.writeHead(202).end();
  else response.writeHead(200, TYPE).end(body);
}

function reply(message: RequestMessage): string | Promise<string> | undefined {
  if (message.method !== "tools/list") return answer(message);
  return `{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":{"tools":${tools}}}`;
}

function refusal(method: string | undefined): number {
  return method === "DELETE" ? 200 : 405;
}

/** As text, because every backend answers the same. */
function toolsOf(count: number): string {
  const inputSchema = { type: "object", properties: { text: { type: "string" } } };
  const names = ["echo", ...Array.from({ length: count - 1 }, (_, n) => `tool_${n + 1}`)];
  return JSON.stringify(names.map((name) => ({
    name,
    description: `The tool ${name} of a backend that is one of many`,
    inputSchema,
  })));
}

await listen(web, (request, response) => void respond(request, response));
