/**
 * What commands use of the official SDK, loaded when one of them calls. The types have to be named by hand: Deno
 * does not find them behind the package's wildcard exports.
 */
// @ts-types="@modelcontextprotocol/sdk/client/index"
export { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
export {
  StreamableHTTPClientTransport,
  StreamableHTTPError,
} from "@modelcontextprotocol/sdk/client/streamableHttp.js";
// @ts-types="@modelcontextprotocol/sdk/shared/transport"
export type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
// @ts-types="@modelcontextprotocol/sdk/types"
export {
  type ElicitRequestFormParams,
  ElicitRequestSchema,
  type ElicitResult,
  LoggingMessageNotificationSchema,
  McpError,
  ResultSchema,
} from "@modelcontextprotocol/sdk/types.js";
