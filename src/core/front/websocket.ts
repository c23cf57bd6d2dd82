/** WebSocket: `GET /ws` is admitted as any request, then the connection is a pipe and its session. */
import { SentinelError } from "../../contract/mod.ts";
import type { FrontContext } from "./context.ts";
import type { HttpIncoming, HttpOutgoing } from "./http_message.ts";
import { servePipe } from "./pipe.ts";
import { jsonResponse, methodNotAllowed } from "./responses.ts";
import type { Caller } from "./streamable_http.ts";

const PROTOCOL = "mcp";
const VERSION = "13";
/** Base64 of 16 bytes. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;

/** @throws SentinelError BAD_HTTP, RATE_LIMITED, OVERLOADED */
export function openWebSocket(
  context: FrontContext,
  incoming: HttpIncoming,
  { principal, address }: Omit<Caller, "toolset">,
): HttpOutgoing {
  if (incoming.method !== "GET") return methodNotAllowed("GET");
  if (incoming.wantsUpgrade !== true) return upgradeRequired();
  if (incoming.header("sec-websocket-version") !== VERSION) return upgradeRequired();
  if (!KEY.test(incoming.header("sec-websocket-key") ?? "")) throw badKey();
  context.admitNewcomer();
  const session = context.sessions.open("websocket", undefined, principal);
  session.address = address;
  const authorization = incoming.header("authorization");
  const authenticate = () => context.authenticate(authorization);
  return {
    status: 101,
    headers: {},
    body: undefined,
    upgrade: {
      protocol: chosenProtocol(incoming),
      maxMessageBytes: context.maxRequestBytes,
      heartbeatMs: context.heartbeatMs,
      serve: (link) => servePipe(context, { session, link, authenticate }),
      abandon: () => session.close("the client went away"),
    },
  };
}

/** The one subprotocol we speak, where it is offered. */
function chosenProtocol(incoming: HttpIncoming): string | undefined {
  const offered = incoming.header("sec-websocket-protocol")?.split(",") ?? [];
  return offered.some((name) => name.trim() === PROTOCOL) ? PROTOCOL : undefined;
}

function upgradeRequired(): HttpOutgoing {
  const headers = { upgrade: "websocket", "sec-websocket-version": VERSION };
  const message = "Cannot serve the request: this path speaks WebSocket only";
  return jsonResponse(JSON.stringify({ error: message }), 426, headers);
}

function badKey(): SentinelError {
  return new SentinelError(
    "BAD_HTTP",
    'Cannot serve the request: "Sec-WebSocket-Key" is missing or malformed',
    { http: 400 },
  );
}
