/** What a target is asked for, over and over. */
export type Work =
  /** Answers a text of so many bytes. */
  | { readonly tool: "echo"; readonly bytes: number }
  /** Answers after so many milliseconds; its calls are spread evenly over time. */
  | { readonly tool: "sleep"; readonly ms: number };

/** Next to no work: all that is seen is what is in between. */
export const ECHO: Work = { tool: "echo", bytes: 64 };
/** A large text, both ways. */
export const LARGE: Work = { tool: "echo", bytes: 100_000 };
/** Tools that take their time, as most do. */
export const SLOW: Work = { tool: "sleep", ms: 100 };
export const QUICK: Work = { tool: "sleep", ms: 20 };

/** How a table names it. */
export function workName(work: Work): string {
  if (work.tool === "sleep") return `tool of ${work.ms} ms`;
  return work.bytes < 1000 ? `echo of ${work.bytes} bytes` : `echo of ${work.bytes / 1000} kB`;
}

/** The message of one call, ASCII; `name` is the tool's as the target exposes it. */
export function callOf(work: Work, name: string, id: number): string {
  const args = work.tool === "sleep" ? `{"ms":${work.ms}}` : `{"text":"${textOf(id, work.bytes)}"}`;
  return `{"jsonrpc":"2.0","id":${id},"method":"tools/call",` +
    `"params":{"name":${JSON.stringify(name)},"arguments":${args}}}`;
}

/** The text of the right answer to call `id`. */
export function answerOf(work: Work, id: number): string {
  return work.tool === "sleep" ? "slept" : textOf(id, work.bytes);
}

/** The id in the text shows a result that belongs to another call. */
function textOf(id: number, bytes: number): string {
  return String(id).padEnd(bytes, "x");
}
