/** The numbered backend as a stdio server; with `--ledger FILE` it notes the number of each call there first. */
import { appendFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { answerTo, type Message, slowness } from "./numbered_answers.ts";

createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line) as Message;
  if (message.id !== undefined) void respond(message);
});

const ledger = process.argv[process.argv.indexOf("--ledger") + 1] ?? "";
const hasLedger = process.argv.includes("--ledger");

async function respond(message: Message): Promise<void> {
  if (hasLedger && message.method === "tools/call") {
    appendFileSync(ledger, `${message.params?.arguments?.n}\n`);
  }
  if (message.method === "tools/call") await slowness(message);
  const reply = { jsonrpc: "2.0", id: message.id, ...answerTo(message) };
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
