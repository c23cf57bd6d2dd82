/** What one client does with one backend: ten rows, each with what came of it. */
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../until.ts";
import type { EraClient, ToolCall } from "./clients.ts";
import type { Peer } from "./peers.ts";
import { ALONE, CANCELLED, GOES_ON, HOLDS, OWN_PROCESS, type Row, ROW_NAMES } from "./table.ts";

/** What came of each row. */
export type Cells = Readonly<Record<string, string>>;

/** One client and one backend. */
export interface Pair {
  /** Unlike all others of the test run. */
  readonly key: string;
  readonly client: EraClient;
  readonly peer: Peer;
  /** What stands before the names of the backend's tools and prompts. */
  readonly prefix: string;
  /** One more client of the same kind. */
  another(): Promise<EraClient>;
  /** What should come of a row: nobody waits long for what should not happen. */
  expected(row: Row): string;
}

const STEPS = 3;
const EVENT_MS = 8000;
/** Far longer than any event takes. */
const NO_EVENT_MS = 1000;
/** What goes on has to come to an end, after the client has gone; what is cancelled would take longer. */
const WORK_MS = 1500;
/** A message that came before the answer has reached the handlers of an SDK by then. */
const SETTLE_MS = 100;

const RUNS: Readonly<Record<Row, (pair: Pair) => Promise<string>>> = {
  "call": async (pair) => {
    const text = `Grüße, ${pair.key}`;
    return same(await pair.client.call(tool(pair, "echo", { text })), text);
  },

  "progress": async (pair) => {
    const key = `steps-${pair.key}`;
    const seen: number[] = [];
    const onprogress = ({ progress }: { readonly progress: number }) => {
      if (seen.push(progress) === STEPS) void pair.peer.note(key, "seen");
    };
    const answer = await pair.client.call({ ...tool(pair, "steps", { key }), onprogress });
    return same(`${seen} ${answer}`, "1,2,3 seen");
  },

  "cancel": async (pair) => {
    const { result, cancel } = await startSlow(pair, pair.client, "cancel");
    const rejected = result.then(() => "the call was answered", () => HOLDS);
    await cancel();
    return await rejected;
  },

  "log messages": async (pair) => {
    const { client, key } = pair;
    const [unwanted, wanted] = [`unwanted-${key}`, `wanted-${key}`];
    await client.call({ ...tool(pair, "log", { text: unwanted }), logs: false });
    // The gateway itself may have a request under way on the same process.
    await until(async () => mustInclude(await logs(pair, wanted), wanted), EVENT_MS);
    if (client.logs.includes(unwanted)) return "messages that were not asked for";
    return await logsBesideAnother(pair);
  },

  "elicitation": (pair) => asked(pair, "ask"),

  "sampling": (pair) => asked(pair, "sample"),

  "list changes": async (pair) => {
    const { client, key, prefix } = pair;
    const end = await client.watchTools();
    const before = count(client, "tools/list_changed");
    await client.call(tool(pair, "grow", { key }));
    await until(async () => {
      mustBeMore(count(client, "tools/list_changed"), before);
      mustInclude(await client.toolNames(), `${prefix}grown_${key}`);
    }, EVENT_MS);
    await end();
    return HOLDS;
  },

  "resource updates": async (pair) => {
    const { client, key, peer } = pair;
    const end = await client.watchResource(peer.uri);
    const before = count(client, "resources/updated");
    await client.call(tool(pair, "touch", { key }));
    const ms = pair.expected("resource updates") === HOLDS ? EVENT_MS : NO_EVENT_MS;
    const told = until(() => mustBeMore(count(client, "resources/updated"), before), ms);
    const result = await told.then(() => HOLDS, () => OWN_PROCESS);
    mustInclude((await client.read(peer.uri)).split(" "), key);
    await end();
    return result;
  },

  "completion": async ({ client, prefix }) =>
    same(String(await client.complete(`${prefix}greet`, "A")), "Ada,Alan"),

  "client goes away": async (pair) => {
    const client = await pair.another();
    const work = pair.expected("client goes away") === GOES_ON ? { ms: WORK_MS } : {};
    const { result, key } = await startSlow(pair, client, "gone", work);
    await client.vanish();
    await result.catch(() => {});
    const end = await pair.peer.happened(key, "finished", "cancelled");
    return end === "finished" ? GOES_ON : CANCELLED;
  },
};

/** All rows, one after the other. */
export async function runRows(
  pair: Pair,
  rows: readonly Row[] = ROW_NAMES,
): Promise<Cells> {
  const cells: Record<string, string> = {};
  for (const row of rows) cells[row] = await RUNS[row](pair).catch(described);
  return cells;
}

async function asked(pair: Pair, name: "ask" | "sample"): Promise<string> {
  pair.client.answer = `${name}-${pair.key}`;
  return same(await pair.client.call(tool(pair, name, {})), pair.client.answer);
}

/** What the client has heard when a call that logs is over. */
async function logs(pair: Pair, text: string): Promise<readonly string[]> {
  await pair.client.call({ ...tool(pair, "log", { text }), logs: true });
  await sleep(SETTLE_MS);
  return pair.client.logs;
}

/** Whether log messages find their call while another client calls too. */
async function logsBesideAnother(pair: Pair): Promise<string> {
  const other = await pair.another();
  const { cancel } = await startSlow(pair, other, "beside");
  const text = `beside-${pair.key}`;
  const heard = await logs(pair, text);
  await cancel();
  if (other.logs.length > 0) return "messages of another client's call";
  return heard.includes(text) ? HOLDS : ALONE;
}

interface Slow {
  readonly key: string;
  readonly result: Promise<string>;
  /** Resolves when the tool has heard of it. */
  cancel(): Promise<unknown>;
}

/** Resolves when the tool runs. */
async function startSlow(
  pair: Pair,
  client: EraClient,
  what: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Slow> {
  const key = `${what}-${pair.key}`;
  const controller = new AbortController();
  const { signal } = controller;
  const result = client.call({ ...tool(pair, "slow", { key, ...more }), signal });
  // Whoever waits for it says what a rejection means.
  result.catch(() => {});
  await pair.peer.happened(key, "started");
  const cancel = () => {
    controller.abort("not wanted any more");
    return pair.peer.happened(key, "cancelled");
  };
  return { key, result, cancel };
}

function tool(
  { prefix }: Pair,
  name: string,
  args: Readonly<Record<string, unknown>>,
): ToolCall {
  return { name: `${prefix}${name}`, args };
}

function count({ events }: EraClient, event: string): number {
  return events.filter((method) => method === `notifications/${event}`).length;
}

function same(found: string, wanted: string): string {
  return found === wanted ? HOLDS : found;
}

function mustInclude(found: readonly string[], wanted: string): void {
  if (!found.includes(wanted)) throw new Error(`"${wanted}" is not in ${JSON.stringify(found)}`);
}

function mustBeMore(count: number, before: number): void {
  if (count <= before) throw new Error(`nothing came after the first ${before}`);
}

function described(cause: unknown): string {
  const { code, message } = cause as { code?: number | string; message?: string };
  return `error ${code ?? ""}: ${message ?? String(cause)}`;
}
