export interface RequestMessage {
  readonly id?: string | number;
  readonly method: string;
  readonly params?: {
    readonly protocolVersion?: string;
    readonly name?: string;
    readonly arguments?: { readonly text?: string; readonly ms?: number };
  };
}

const TOOLS = [
  tool("echo", "Answers the text", { text: { type: "string" } }),
  tool("sleep", "Answers after some milliseconds", { ms: { type: "number" } }),
];

function tool(name: string, description: string, properties: Record<string, { type: string }>) {
  const required = Object.keys(properties);
  return { name, description, inputSchema: { type: "object", properties, required } };
}

/** Members of every result of revision 2026-07-28. */
const COMPLETE = { resultType: "complete" };
const CACHED = { ...COMPLETE, ttlMs: 0, cacheScope: "private" };

/** As `answer`, of a server that speaks revision 2026-07-28 only. */
export function answerModern(message: RequestMessage): string | Promise<string> | undefined {
  const { id, method, params } = message;
  if (id === undefined) return undefined;
  const reply = (value: object) => JSON.stringify({ jsonrpc: "2.0", id, result: value });
  switch (method) {
    case "tools/call":
      return call(params, (value) => reply({ ...COMPLETE, ...value })) ??
        failure(id, -32602, "Unknown tool");
    case "server/discover":
      return reply({ ...CACHED, supportedVersions: ["2026-07-28"], capabilities: { tools: {} } });
    case "tools/list":
      return reply({ ...CACHED, tools: TOOLS });
    default:
      return failure(id, -32601, "Unknown method");
  }
}

/** The reply text to one message, a promise of it for `sleep`, undefined for a notification. */
export function answer(message: RequestMessage): string | Promise<string> | undefined {
  const { id, method, params } = message;
  if (id === undefined) return undefined;
  const result = (value: object) => JSON.stringify({ jsonrpc: "2.0", id, result: value });
  switch (method) {
    case "tools/call":
      return call(params, result) ?? failure(id, -32602, "Unknown tool");
    case "initialize":
      return result({
        protocolVersion: params?.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: "echo", version: "1" },
      });
    case "tools/list":
      return result({ tools: TOOLS });
    case "ping":
      return result({});
    default:
      return failure(id, -32601, "Unknown method");
  }
}

function call(params: RequestMessage["params"], result: (value: object) => string) {
  const content = (text: string) => ({ content: [{ type: "text", text }] });
  if (params?.name === "echo") return result(content(params.arguments?.text ?? ""));
  if (params?.name !== "sleep") return undefined;
  return new Promise<string>((resolve) => {
    setTimeout(() => resolve(result(content("slept"))), params.arguments?.ms ?? 0);
  });
}

function failure(id: string | number, code: number, message: string): string {
  return JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } });
}
