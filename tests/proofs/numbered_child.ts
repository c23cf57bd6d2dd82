/** The numbered backend as a stdio server. */
import process from "node:process";
import { createInterface } from "node:readline";
import { answerTo, type Message, slowness } from "./numbered_answers.ts";

createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line) as Message;
  if (message.id !== undefined) void respond(message);
});

async function respond(message: Message): Promise<void> {
  if (message.method === "tools/call") await slowness(message);
  const reply = { jsonrpc: "2.0", id: message.id, ...answerTo(message) };
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
