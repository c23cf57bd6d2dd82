/**
 * What is promised for every client with every backend: `matrix.test.ts` asserts each cell, and
 * `docs/bridge_matrix.md` is made of it.
 */

/** What a client does, and when it holds. */
export const ROWS = {
  "call": "A tool answers with what it was given.",
  "progress": "Three progress notifications arrive in order while the call runs.",
  "cancel": "The client cancels a call; the tool learns of it at once.",
  "log messages":
    "A message logged during a call arrives when the client wanted its level, and not otherwise. A " +
    "legacy client sets a level, a modern one gives it with the request.",
  "elicitation":
    "A tool asks the user in the middle of a call; the user of the client that called answers.",
  "sampling":
    "A tool asks for a completion of a model in the middle of a call; the client that called gives it.",
  "list changes":
    "The backend adds a tool; the client is told, and finds it in the list. Modern clients listen for it.",
  "resource updates":
    "A resource changes; the client that subscribed (legacy) or listens (modern) is told, and reads the " +
    "new text.",
  "completion": "The argument of a prompt is completed.",
  "client goes away":
    "The connection of the client breaks in the middle of a call. In the legacy era that is no " +
    "cancellation; in the modern era it is.",
} as const;
export type Row = keyof typeof ROWS;
export const ROW_NAMES: readonly Row[] = Object.keys(ROWS) as Row[];

/** The clients by the era they speak with the gateway. */
export const CLIENTS = {
  "v1": { era: "legacy", text: "A legacy client (SDK v1, Streamable HTTP)" },
  "v2 auto": { era: "modern", text: "A modern client that finds out the era (SDK v2)" },
  "v2 pinned": { era: "modern", text: "A modern client that speaks nothing else (SDK v2)" },
} as const;
export type ClientName = keyof typeof CLIENTS;
export const CLIENT_NAMES: readonly ClientName[] = Object.keys(CLIENTS) as ClientName[];

export const BACKENDS = {
  legacy_http: { era: "legacy", wire: "http", text: "legacy, Streamable HTTP" },
  legacy_sse: { era: "legacy", wire: "sse", text: "legacy, HTTP+SSE" },
  legacy_stdio: { era: "legacy", wire: "stdio", text: "legacy, stdio, one process for all" },
  legacy_own: {
    era: "legacy",
    wire: "stdio",
    instances: "per-session",
    text: "legacy, stdio, a process for each session",
  },
  modern_http: { era: "modern", wire: "http", text: "modern, HTTP" },
  modern_stdio: { era: "modern", wire: "stdio", text: "modern, stdio, one process for all" },
} as const;
export type BackendName = keyof typeof BACKENDS;
export const BACKEND_NAMES: readonly BackendName[] = Object.keys(BACKENDS) as BackendName[];

/** What comes of a row. */
export const HOLDS = "holds";
/** Messages of one process do not say to which call they belong. */
export const ALONE = "while no other client calls";
/** The tool gets an error for its question: nobody can tell whose call it belongs to. */
export const DECLINED = "declined, -32601";
/** Calls go to whichever process is free, and the gateway listens to its own. */
export const OWN_PROCESS = "of the gateway's own process";
export const GOES_ON = "the call goes on";
export const CANCELLED = "the call is cancelled";

/** What differs from "holds" by the backend; for both eras of clients where it is one text. */
const EXCEPTIONS: Partial<
  Record<BackendName, Partial<Record<Row, string | { readonly modern: string }>>>
> = {
  legacy_stdio: { "log messages": ALONE, "elicitation": DECLINED, "sampling": DECLINED },
  legacy_own: { "resource updates": { modern: OWN_PROCESS } },
  modern_stdio: { "log messages": ALONE },
};

/** The cell of the table. */
export function expected(client: ClientName, backend: BackendName, row: Row): string {
  const exception = EXCEPTIONS[backend]?.[row];
  if (typeof exception === "string") return exception;
  const isModern = CLIENTS[client].era === "modern";
  return exception !== undefined && isModern ? exception.modern : between(client, row);
}

/** What comes of a row for a client and a server that nothing stands between. */
export function between(client: ClientName, row: Row): string {
  if (row !== "client goes away") return HOLDS;
  return CLIENTS[client].era === "legacy" ? GOES_ON : CANCELLED;
}
