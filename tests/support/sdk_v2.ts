/**
 * Everything the tests use of the second official SDK, which speaks both eras. It is installed in
 * `tests/servers`, so it is named by its files.
 */
// @ts-types="../servers/node_modules/@modelcontextprotocol/client/dist/index.d.mts"
export {
  Client as ClientV2,
  type ClientOptions as ClientV2Options,
  StreamableHTTPClientTransport as StreamableHTTPClientTransportV2,
} from "../servers/node_modules/@modelcontextprotocol/client/dist/index.mjs";
// @ts-types="../servers/node_modules/@modelcontextprotocol/client/dist/stdio.d.mts"
export {
  StdioClientTransport as StdioClientTransportV2,
} from "../servers/node_modules/@modelcontextprotocol/client/dist/stdio.mjs";
// @ts-types="../servers/node_modules/@modelcontextprotocol/server/dist/index.d.mts"
export {
  createMcpHandler,
  createRequestStateCodec,
  fromJsonSchema,
  type InputRequests,
  inputRequired,
  isLegacyRequest,
  type McpHttpHandler,
  McpServer as McpServerV2,
  ProtocolError as ProtocolErrorV2,
  Server as ServerV2,
  type ServerContext,
} from "../servers/node_modules/@modelcontextprotocol/server/dist/index.mjs";
// @ts-types="../servers/node_modules/@modelcontextprotocol/server/dist/stdio.d.mts"
export { serveStdio } from "../servers/node_modules/@modelcontextprotocol/server/dist/stdio.mjs";
