/** A modern client of one principal, as raw requests: shows exactly what is on the wire. */
import assert from "node:assert/strict";
import type { TestCore } from "../support/core.ts";
import { messagesOf, post, type Rpc } from "../support/http_session.ts";

const REVISION = "2026-07-28";
const CAPABILITIES = { elicitation: { form: {} } };

export interface PersonOptions {
  /** Name of the tool that it calls. */
  readonly tool: string;
  /** What it says of itself, in its arguments and answers. */
  readonly mark: string;
  /** None while sign-in is off. */
  readonly token?: string;
}

export class Person {
  readonly mark: string;
  readonly #gateway: TestCore;
  readonly #tool: string;
  readonly #headers: Record<string, string>;
  #lastId = 0;

  constructor(gateway: TestCore, { tool, mark, token }: PersonOptions) {
    this.#gateway = gateway;
    this.#tool = tool;
    this.mark = mark;
    this.#headers = {
      "mcp-protocol-version": REVISION,
      "mcp-method": "tools/call",
      "mcp-name": tool,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
  }

  /** Calls the tool; everybody counts ids from one. */
  async call(more: Record<string, unknown> = {}): Promise<Rpc> {
    const params = {
      name: this.#tool,
      arguments: { who: this.mark },
      ...more,
      _meta: {
        "io.modelcontextprotocol/protocolVersion": REVISION,
        "io.modelcontextprotocol/clientCapabilities": CAPABILITIES,
      },
    };
    const body = { jsonrpc: "2.0", id: ++this.#lastId, method: "tools/call", params };
    const response = await post(this.#gateway.core.fetch, body, this.#headers);
    return (await messagesOf(response)).at(-1) as Rpc;
  }

  /** Calls again with the answer to what was asked. */
  answer(asked: Rpc, word: string): Promise<Rpc> {
    const { key } = questionIn(asked);
    const inputResponses = {
      [key]: { action: "accept", content: { mark: `${word}-${this.mark}` } },
    };
    return this.call({ inputResponses, requestState: asked["result"].requestState });
  }
}

/** The one question of a result. */
export function questionIn(asked: Rpc): { readonly key: string; readonly message: string } {
  assert.equal(asked["result"]?.resultType, "input_required", JSON.stringify(asked));
  const [[key, request] = ["", undefined]] = Object.entries<Rpc>(asked["result"].inputRequests);
  return { key, message: String(request?.["params"].message) };
}
