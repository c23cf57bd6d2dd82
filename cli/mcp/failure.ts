/** What a call refused, as the failure of a command. */
import { CommandFailed, EXIT, type FailureDetails } from "../exit.ts";
import { visible } from "../text.ts";
import { McpError, StreamableHTTPError } from "./sdk.ts";

/** Of what the SDK and the transport throw; anything else comes back as it is. */
export function callFailure(thrown: unknown, url: string): unknown {
  if (thrown instanceof McpError) return refusal(thrown);
  if (thrown instanceof StreamableHTTPError) return httpFailure(thrown, url);
  if (!(thrown instanceof Error) || !isNetwork(thrown)) return thrown;
  const why = thrown.cause instanceof Error ? thrown.cause.message : thrown.message;
  const message = `Cannot reach ${url}: ${visible(why)}`;
  return new CommandFailed(EXIT.unreachable, message, "check that the gateway runs, or give --url");
}

/** All three runtimes throw a TypeError where a connection fails. */
function isNetwork({ name, message }: Error): boolean {
  return name === "TypeError" || /fetch|connect|socket/i.test(message);
}

function refusal({ message, data }: McpError): CommandFailed {
  const text = message.replace(/^MCP error -?\d+: /, "");
  const { code, reason, request, retryAfterMs } = dataOf(data);
  const details: FailureDetails = {
    ...(typeof code === "string" ? { error: code } : {}),
    ...(typeof reason === "string" ? { reason } : {}),
    ...(typeof request === "string" ? { request } : {}),
    ...(typeof retryAfterMs === "number" ? { retryAfterMs } : {}),
  };
  const hint = typeof request === "string" ? `mcp-sentinel calls show ${visible(request)}` : "";
  return new CommandFailed(EXIT.failed, visible(text), hint, details);
}

function dataOf(data: unknown): Readonly<Record<string, unknown>> {
  return typeof data === "object" && data !== null ? data as Record<string, unknown> : {};
}

function httpFailure({ code, message }: StreamableHTTPError, url: string): CommandFailed {
  if (code === 401 || code === 403) {
    const hint = "name a variable that holds a token: --token-env NAME;  mcp-sentinel auth explain";
    return new CommandFailed(EXIT.unauthorized, `${url} accepts no such caller`, hint);
  }
  const text = message.replace(/^Streamable HTTP error: (Error POSTing to endpoint: )?/, "");
  const said = messageIn(text) ?? text;
  return new CommandFailed(EXIT.failed, `${url} answers ${code ?? "?"}: ${visible(said)}`);
}

/** Of an error in JSON-RPC's shape. */
function messageIn(text: string): string | undefined {
  try {
    const { error } = dataOf(JSON.parse(text));
    const { message } = dataOf(error);
    return typeof message === "string" ? message : undefined;
  } catch {
    return undefined;
  }
}
