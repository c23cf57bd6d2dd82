/** The process's own stdin and stdout as a pipe of messages: one per line, nothing else on stdout. */
import process from "node:process";
import { LineFramer } from "../core/mcp/line_framer.ts";
import type { MessageLink } from "../ports/message_link.ts";

/** @param maxLineBytes longest message; of a longer one only the beginning is delivered, which is no message */
export function createStdioLink(maxLineBytes: number): MessageLink {
  let open = true;
  process.stdout.on("error", () => open = false);
  return {
    messages: readLines(maxLineBytes),
    send(text) {
      if (!open || process.stdout.write(`${text}\n`)) return;
      return new Promise((resolve) => process.stdout.once("drain", resolve));
    },
    close() {
      open = false;
      process.stdin.destroy();
    },
  };
}

async function* readLines(maxLineBytes: number): AsyncGenerator<string> {
  let lines: string[] = [];
  const keep = (text: string) => void lines.push(text);
  const framer = new LineFramer(maxLineBytes, {
    line: keep,
    undecodable: keep,
    overflow: keep,
    dropped: () => {},
  });
  for await (const chunk of process.stdin) {
    framer.push(chunk as Uint8Array);
    const complete = lines;
    lines = [];
    yield* complete;
  }
  framer.end();
  yield* lines;
}
