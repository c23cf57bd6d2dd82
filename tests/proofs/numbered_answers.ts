/** What the backends of the proofs answer: one tool, `echo`, whose calls have a number. */

export interface Message {
  readonly id?: string | number;
  readonly method: string;
  readonly params?: {
    readonly protocolVersion?: string;
    readonly name?: string;
    readonly arguments?: { readonly n?: number };
  };
}

const TOOL = {
  name: "echo",
  inputSchema: { type: "object", properties: { n: { type: "number" } }, required: ["n"] },
};

const SLOW_MS = 25;

/** Some calls take longer, so that whatever happens finds calls under way. */
export async function slowness({ params }: Message): Promise<void> {
  const isSlow = Math.floor((params?.arguments?.n ?? 0) / 4) % 4 === 0;
  if (isSlow) await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
}

/** Result or error of a request. */
export function answerTo({ method, params }: Message): Record<string, unknown> {
  switch (method) {
    case "initialize":
      return {
        result: {
          protocolVersion: params?.protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: "numbered", version: "1" },
        },
      };
    case "tools/list":
      return { result: { tools: [TOOL] } };
    case "tools/call":
      return { result: { content: [{ type: "text", text: String(params?.arguments?.n) }] } };
    case "ping":
      return { result: {} };
    default:
      return { error: { code: -32601, message: "Unknown method" } };
  }
}
