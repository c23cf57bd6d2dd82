/** What both peer programs offer, and how they do it; only the wire differs between them. */
import { appendFileSync, readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

/** How a peer answers one call, in the words of its era. */
export interface Doing {
  readonly signal: AbortSignal;
  progress(step: number, total: number): Promise<void>;
  /** A log message of level info that belongs to this call. */
  log(text: string): Promise<void>;
  toolsChanged(): Promise<void>;
  resourceUpdated(uri: string): Promise<void>;
}

export type Arguments = Readonly<Record<string, unknown>>;

/** The shared memory of all processes of one peer, which the test reads too: a line for each event. */
const LOG = process.env["PEER_LOG"] ?? "";
const NAME = process.env["PEER_NAME"] ?? "one";

const STEPS = 3;
const SEEN_MS = 5000;
const POLL_MS = 20;
const SLOW_MS = 20_000;
const NAMES = ["Ada", "Alan", "Grace"];

export const RESOURCE = { uri: `note://${NAME}`, name: "note", mimeType: "text/plain" };
export const PROMPT = { name: "greet", arguments: [{ name: "name", required: true }] };

export const ASKED = {
  mode: "form",
  message: "What is your name?",
  requestedSchema: {
    type: "object",
    properties: { name: { type: "string" } },
    required: ["name"],
  },
} as const;

export const SAMPLED = {
  messages: [{ role: "user", content: { type: "text", text: "Who are you?" } }],
  maxTokens: 50,
} as const;

/** Calls without a question. */
const TOOLS: Readonly<Record<string, (args: Arguments, doing: Doing) => Promise<string>>> = {
  echo: ({ text }) => Promise.resolve(String(text)),
  // The SDKs drop progress that they read together with the answer: it waits until the last was seen.
  steps: async ({ key }, { progress }) => {
    for (let step = 1; step <= STEPS; step++) await progress(step, STEPS);
    return await noted(String(key), "seen", SEEN_MS) ? "seen" : "not seen";
  },
  slow: async ({ key, ms = SLOW_MS }, { signal }) => {
    note(String(key), "started");
    const end = await sleep(Number(ms), "finished", { signal }).catch(() => "cancelled");
    note(String(key), end);
    return end;
  },
  log: async ({ text }, { log }) => {
    await log(String(text));
    return String(text);
  },
  grow: async ({ key }, { toolsChanged }) => {
    note(String(key), "grown");
    await toolsChanged();
    return "grown";
  },
  touch: async ({ key }, { resourceUpdated }) => {
    note(String(key), "touched");
    await resourceUpdated(RESOURCE.uri);
    return "touched";
  },
};

const PARAMETERS: Readonly<Record<string, Readonly<Record<string, { type: string }>>>> = {
  echo: { text: { type: "string" } },
  steps: { key: { type: "string" } },
  slow: { key: { type: "string" }, ms: { type: "number" } },
  log: { text: { type: "string" } },
  ask: {},
  sample: {},
  grow: { key: { type: "string" } },
  touch: { key: { type: "string" } },
};

/** Definitions of all tools, with those that grew. */
export function toolList(): {
  name: string;
  inputSchema: { type: "object"; properties: Record<string, { type: string }> };
}[] {
  const grown = keysOf("grown").map((key) => [`grown_${key}`, {}] as const);
  return [...Object.entries(PARAMETERS), ...grown].map(([name, properties]) => ({
    name,
    inputSchema: { type: "object", properties: { ...properties } },
  }));
}

/** @throws Error when there is no such tool */
export async function act(name: string, args: Arguments, doing: Doing): Promise<string> {
  const tool = TOOLS[name];
  if (tool === undefined) throw new Error(`Unknown tool "${name}"`);
  return await tool(args, doing);
}

/** The resource says by which keys it was touched. */
export function readNote(): { uri: string; mimeType: string; text: string } {
  const { uri, mimeType } = RESOURCE;
  return { uri, mimeType, text: keysOf("touched").join(" ") };
}

export function greeting(name: unknown): string {
  return `Hello, ${name}!`;
}

export function completionsOf(prefix: string): string[] {
  return NAMES.filter((name) => name.startsWith(prefix));
}

function note(key: string, event: string): void {
  appendFileSync(LOG, `${key} ${event}\n`);
}

/** Waits for what another process writes. */
async function noted(key: string, event: string, ms: number): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end;) {
    if (keysOf(event).includes(key)) return true;
    await sleep(POLL_MS);
  }
  return false;
}

function keysOf(event: string): string[] {
  const lines = readFileSync(LOG, "utf8").split("\n").map((line) => line.split(" "));
  return lines.flatMap(([key = "", what]) => what === event ? [key] : []);
}
