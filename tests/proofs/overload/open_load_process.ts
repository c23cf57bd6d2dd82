/** The process behind `OpenLoad`: `open_load_process.ts OPTIONS`, orders on stdin, answers on stdout. */
import { setPriority } from "node:os";
import process from "node:process";
import { createInterface } from "node:readline";
import { Arrivals } from "./arrivals.ts";
import type { OpenLoadOptions, RunOrder } from "./open_load.ts";

/** Behind the backend, with which it shares a core: a backend that has no time would be the limit. */
const NICENESS = 10;

setPriority(NICENESS);
const given = JSON.parse(process.argv[2] ?? "") as OpenLoadOptions;
const arrivals = await Arrivals.open({ ...given, url: new URL(given.url) });
process.stdout.write("open\n");
for await (const line of createInterface({ input: process.stdin })) {
  const run = await arrivals.run(JSON.parse(line) as RunOrder);
  process.stdout.write(`${JSON.stringify(run)}\n`);
}
