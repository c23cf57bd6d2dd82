#!/usr/bin/env node
import process from "node:process";
import { systemIo } from "./io.ts";
import { run } from "./run.ts";

const code = await run(process.argv.slice(2), systemIo());
// Something may still hold the process (an open stdin), so it ends here, when stdout is written out.
await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
process.exit(code);
