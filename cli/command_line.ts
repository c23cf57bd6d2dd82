/** The whole program: reads its arguments, runs the command and ends the process with its exit code. */
import process from "node:process";
import { systemIo } from "./io.ts";
import { run } from "./run.ts";

export async function main(): Promise<never> {
  const code = await run(process.argv.slice(2), systemIo());
  // Something may still hold the process (an open stdin), so it ends here, when stdout is written out. On Bun only
  // the end of the stream waits for that: the callback of a write comes before.
  if (process.stdout.writable) {
    await new Promise<void>((resolve) => process.stdout.end(() => resolve()));
  }
  process.exit(code);
}
