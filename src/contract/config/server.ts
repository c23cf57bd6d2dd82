import * as v from "valibot";
import { key } from "./key.ts";
import { cidr, httpUrl, listen, name, text, tls } from "./values.ts";
import { duration, grace, size } from "../units.ts";

const path = v.pipe(
  v.string(),
  v.metadata({ noun: "path" }),
  v.regex(
    /^(\/[A-Za-z0-9._~-]+)+$/,
    'write an absolute path without "/" at the end, such as "/mcp"',
  ),
  v.check(
    (value) => !/^\/(sse|messages|ws|health|ready|\.well-known)(\/|$)/.test(value),
    "the gateway serves something else there; choose another path",
  ),
);

/** No listener lets in more than 16 KiB, whatever stands here. */
const headerSize = v.pipe(size, v.maxValue(16_384, "use at most 16KiB"));

const origin = v.pipe(
  v.string(),
  v.metadata({ noun: "origin" }),
  v.regex(
    /^[a-z][a-z0-9+.-]*:\/\/[^/\s*]+$/,
    'write scheme://host without a path, such as "https://app.example.com"; * is not allowed',
  ),
);

export const server = v.strictObject({
  name: key(v.optional(name, "mcp-sentinel"), "Name shown to clients, in logs and metrics.", {
    example: '"team-gateway"',
    reload: "restart",
  }),
  listen: key(
    v.optional(listen, "127.0.0.1:8808"),
    "Address and port clients connect to. Anything but loopback needs sign-in ([auth]).",
    { example: '"127.0.0.1:9000"', reload: "restart" },
  ),
  path: key(v.optional(path, "/mcp"), "Path of the MCP endpoint (Streamable HTTP).", {
    example: '"/mcp"',
    reload: "restart",
  }),
  legacy_sse: key(
    v.optional(v.boolean(), true),
    "Also serve the HTTP+SSE transport of 2024-11-05 on /sse and /messages/.",
    { example: "false", reload: "restart" },
  ),
  websocket: key(
    v.optional(v.boolean(), true),
    "Also serve WebSocket on /ws: one connection is one session.",
    { example: "false", reload: "restart" },
  ),
  public_url: key(
    v.optional(httpUrl),
    "URL under which clients reach the gateway; used in sign-in metadata and client snippets.",
    { example: '"https://mcp.example.com"', reload: "restart" },
  ),
  allowed_origins: key(
    v.optional(v.array(origin), []),
    "Origins of web pages that may call, beside the gateway's own.",
    { example: '["https://mcp.example.com"]', reload: "live" },
  ),
  trusted_proxies: key(
    v.optional(v.array(cidr), []),
    "Networks whose X-Forwarded-For (or Forwarded, without it) is believed.",
    { example: '["10.0.0.0/8"]', reload: "live" },
  ),
  allow_addresses: key(
    v.optional(v.array(cidr), []),
    "Networks whose clients may call; empty: every network.",
    { example: '["10.0.0.0/8", "127.0.0.1/32"]', reload: "live" },
  ),
  deny_addresses: key(
    v.optional(v.array(cidr), []),
    "Networks whose clients may not call, even where allow_addresses lets them.",
    { example: '["10.6.6.0/24"]', reload: "live" },
  ),
  max_header_size: key(
    v.optional(headerSize, "16KiB"),
    "Largest headers of a request together, names and values; larger ones get 431.",
    { example: '"8KiB"', reload: "live" },
  ),
  max_request_size: key(v.optional(size, "4MiB"), "Largest request body; larger ones get 413.", {
    example: '"8MiB"',
    reload: "live",
  }),
  request_timeout: key(
    v.optional(duration, "60s"),
    "Time a call may take without an answer; progress notifications extend it.",
    { example: '"2m"', reload: "live" },
  ),
  body_timeout: key(
    v.optional(duration, "30s"),
    "Time a client may take to send the body of a request; slower ones get 408.",
    { example: '"10s"', reload: "live" },
  ),
  drain_delay: key(
    v.optional(grace, "0s"),
    "Time between /ready turning 503 and refusing connections at a stop: set it to what a load balancer " +
      "needs to notice.",
    { example: '"5s"', reload: "live" },
  ),
  drain_timeout: key(
    v.optional(grace, "25s"),
    "Time running calls get to finish after SIGTERM. Keep it below the orchestrator's own grace.",
    { example: '"10s"', reload: "live" },
  ),
  instructions: key(
    v.optional(text),
    "Instructions shown to clients; replaces the merged ones of the backends.",
    { example: '"Team tools. Read-only unless your role says otherwise."', reload: "live" },
  ),
  tls: key(
    v.optional(v.strictObject({
      cert: key(tls.cert, "Certificate chain, PEM; read again when the file changes.", {
        example: '"/etc/mcp-sentinel/tls.crt"',
        reload: "restart",
      }),
      key: key(tls.key, "Private key of the certificate, PEM; read again with it.", {
        example: '"/etc/mcp-sentinel/tls.key"',
        reload: "restart",
      }),
    })),
    "Serve HTTPS. Leave it out behind a proxy.",
    { reload: "restart" },
  ),
});
