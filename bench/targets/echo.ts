/** The backend at the far end of every measurement: Streamable HTTP, `--modern` without sessions, or `--stdio`. */
import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import process from "node:process";
import { answer, answerModern, type RequestMessage } from "./echo_tools.ts";
import { listen } from "./listen.ts";

const JSON_TYPE = "application/json";
const answerHttp = process.argv.includes("--modern") ? answerModern : answer;

async function web(request: Request): Promise<Response> {
  if (request.method !== "POST") return new Response(null, { status: refusal(request.method) });
  const message = await request.json() as RequestMessage;
  const body = await answerHttp(message);
  if (body === undefined) return new Response(null, { status: 202 });
  return new Response(body, { headers: headersFor(message) });
}

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "POST") {
    response.writeHead(refusal(request.method)).end();
    return;
  }
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const message = JSON.parse(Buffer.concat(parts).toString()) as RequestMessage;
  const body = await answerHttp(message);
  if (body === undefined) response.writeHead(202).end();
  else response.writeHead(200, headersFor(message)).end(body);
}

/** No GET stream here; DELETE ends a session that was only ever an id. */
function refusal(method: string | undefined): number {
  return method === "DELETE" ? 200 : 405;
}

function headersFor(message: RequestMessage): Record<string, string> {
  if (message.method !== "initialize") return { "content-type": JSON_TYPE };
  return { "content-type": JSON_TYPE, "mcp-session-id": crypto.randomUUID() };
}

function serveStdio(): void {
  let rest = "";
  process.stdin.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    // One write for all that came together, as a fast server does.
    let out = "";
    for (const line of lines) {
      const body = answer(JSON.parse(line) as RequestMessage);
      if (typeof body === "string") out += `${body}\n`;
      else if (body) void body.then((late) => process.stdout.write(`${late}\n`));
    }
    if (out) process.stdout.write(out);
  });
}

if (process.argv.includes("--stdio")) serveStdio();
else await listen(web, (request, response) => void respond(request, response));
