/**
 * The backend of the proof of leavers on stdin and stdout.
 *
 *     child.ts --notes PORT [--era modern]
 *
 * `--notes`: port of loopback that it tells what it notes, as JSON lines.
 */
import { connect } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { type Era, type Heard, respond, type Talk } from "../../support/faults/script.ts";
import { LeaverCalls } from "./calls.ts";

const { values } = parseArgs({
  options: { notes: { type: "string" }, era: { type: "string", default: "legacy" } },
});
const era: Era = values.era === "modern" ? "modern" : "legacy";
const notes = connect({ host: "127.0.0.1", port: Number(values.notes), noDelay: true });
// The proof has ended.
notes.on("error", () => {});
// It is the gateway that ends this process.
notes.unref();
const calls = new LeaverCalls(era, (note) => void notes.write(`${JSON.stringify(note)}\n`));

createInterface({ input: process.stdin }).on("line", (line) => {
  const heard = JSON.parse(line) as Heard;
  const { requestId } = (heard.params ?? {}) as { readonly requestId?: number };
  if (heard.method === "notifications/cancelled") calls.cancel(String(requestId));
  else if (heard.method === "tools/call") void calls.perform(String(heard.id), heard, say);
  else if (heard.id !== undefined) void respond(heard, TALK);
});

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

const TALK: Talk = {
  era,
  standing: { do: "answer" },
  say,
  ask: () => Promise.reject(new Error("It asks nothing")),
  die: () => {},
  noise: () => {},
};
