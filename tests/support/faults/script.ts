/**
 * What a scriptable backend does with a call: what the call itself says (`arguments.do`), else what was set for
 * all calls. The same over HTTP and stdio, for both eras.
 */
import { discovered } from "../modern_backend.ts";

export interface Act {
  /**
   * - `answer`: the right answer, after `ms`.
   * - `hang`: none, ever.
   * - `fail`: a JSON-RPC error of the backend.
   * - `refuse`: a result with `isError`.
   * - `die`: the connection or the process ends.
   * - `twice`: the right answer two times.
   * - `stream`: signs of progress, each after `ms`, then the answer.
   * - `ask`: a question to the person first.
   * - `noise`: much on stderr, where there is one, then the answer.
   */
  readonly do:
    | "answer"
    | "hang"
    | "fail"
    | "refuse"
    | "die"
    | "twice"
    | "stream"
    | "ask"
    | "noise";
  readonly ms?: number;
  /** Characters of filler that go with the answer and with each sign of progress; default 0. */
  readonly bytes?: number;
}

/** A request or notification as it came. */
export interface Heard {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: {
    readonly name?: string;
    readonly protocolVersion?: string;
    readonly arguments?: CallArguments;
    readonly inputResponses?: unknown;
    readonly _meta?: Readonly<Record<string, unknown>>;
  };
}

/** Arguments of the tools `call` and `read`. Nonce and caller come back as the text of the answer. */
export interface CallArguments extends Partial<Act> {
  readonly nonce?: string;
  readonly who?: string;
}

export type Era = "legacy" | "modern";

/** Where a backend answers. */
export interface Talk {
  readonly era: Era;
  /** What calls get that say nothing of it. */
  readonly standing: Act;
  /** Sends a message to who called. */
  say(message: object): void;
  /** Sends a request to who called; resolves when it is answered. */
  ask(method: string, params: object): Promise<unknown>;
  die(): void;
  noise(): void;
}

const MODERN = "2026-07-28";
const STEPS = 3;
/** Each has a nonce, by which the ledgers are joined; `read` is the one that a proof calls idempotent. */
const TOOLS = ["call", "read"].map((name) => ({
  name,
  inputSchema: { type: "object", properties: { nonce: { type: "string" } } },
}));
const QUESTION = {
  message: "Sure?",
  requestedSchema: { type: "object", properties: { yes: { type: "boolean" } } },
};

/** Answers a request. Resolves when all is said; never when it hangs. */
export async function respond(heard: Heard, talk: Talk): Promise<void> {
  const { id, method } = heard;
  if (method === "tools/call") return await perform(heard, talk);
  const result = resultOf(heard, talk.era);
  if (result === undefined) return talk.say(failure(id, -32601, "Unknown method"));
  talk.say({ jsonrpc: "2.0", id, result });
}

function resultOf({ method, params }: Heard, era: Era): object | undefined {
  const capabilities = { tools: {}, logging: {} };
  switch (method ?? "") {
    case "server/discover":
      return era === "modern" ? discovered(capabilities) : undefined;
    case "initialize":
      if (era === "modern") return undefined;
      return {
        protocolVersion: params?.protocolVersion === MODERN
          ? "2025-11-25"
          : params?.protocolVersion,
        capabilities,
        serverInfo: { name: "scripted", version: "1" },
      };
    case "tools/list":
      return era === "modern"
        ? { resultType: "complete", tools: TOOLS, ttlMs: 0, cacheScope: "private" }
        : { tools: TOOLS };
    case "ping":
    case "logging/setLevel":
      return {};
    default:
      return undefined;
  }
}

async function perform(heard: Heard, talk: Talk): Promise<void> {
  const { id, params } = heard;
  const act = { ...talk.standing, ...params?.arguments } as Act;
  const ms = act.ms ?? 0;
  switch (act.do) {
    case "hang":
      return await new Promise(() => {});
    case "die":
      return talk.die();
    case "fail":
      return talk.say(failure(id, -32603, "Told to fail"));
    case "stream":
      for (let step = 1; step <= STEPS; step++) await progress(heard, talk, act, step);
      break;
    case "ask": {
      const asked = await question(heard, talk);
      if (asked) return;
      break;
    }
    case "noise":
      talk.noise();
      break;
    case "answer":
    case "refuse":
    case "twice":
      if (ms > 0) await pause(ms);
  }
  const message = { jsonrpc: "2.0", id, result: answer(heard, talk.era, act) };
  talk.say(message);
  if (act.do === "twice") talk.say(message);
}

function answer({ params }: Heard, era: Era, { do: how, bytes = 0 }: Act): object {
  const { nonce, who } = params?.arguments ?? {};
  const content = [{ type: "text", text: JSON.stringify({ nonce, who }) }];
  if (bytes > 0) content.push({ type: "text", text: "x".repeat(bytes) });
  const result = how === "refuse" ? { content, isError: true } : { content };
  return era === "modern" ? { resultType: "complete", ...result } : result;
}

async function progress(
  { params }: Heard,
  talk: Talk,
  { ms = 0, bytes = 0 }: Act,
  step: number,
): Promise<void> {
  const progressToken = params?._meta?.["progressToken"];
  if (progressToken !== undefined) {
    const filler = bytes > 0 ? { message: "x".repeat(bytes) } : {};
    const told = { progressToken, progress: step, total: STEPS, ...filler };
    talk.say({ jsonrpc: "2.0", method: "notifications/progress", params: told });
  }
  await pause(ms);
}

/** True when the question is the answer, as in the modern era. */
async function question({ id, params }: Heard, talk: Talk): Promise<boolean> {
  if (talk.era === "legacy") {
    await talk.ask("elicitation/create", QUESTION);
    return false;
  }
  if (params?.inputResponses !== undefined) return false;
  const sure = { method: "elicitation/create", params: QUESTION };
  const result = {
    resultType: "input_required",
    inputRequests: { sure },
    requestState: "scripted",
  };
  talk.say({ jsonrpc: "2.0", id, result });
  return true;
}

function failure(id: unknown, code: number, message: string): object {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
