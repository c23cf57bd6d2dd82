/** The program, which on SIGUSR2 collects its garbage and then says on stderr what it holds. */
import process from "node:process";
import v8 from "node:v8";
import vm from "node:vm";

/** More than one: what a first collection lets go of may hold more. */
const COLLECTIONS = 3;
const PAUSE_MS = 100;

const host = globalThis as typeof globalThis & { Bun?: { gc: (isWhole: boolean) => void } };

function collector(): () => void {
  const { Bun } = host;
  if (Bun !== undefined) return () => Bun.gc(true);
  v8.setFlagsFromString("--expose-gc");
  const gc = vm.runInNewContext("gc") as (options: Readonly<Record<string, string>>) => void;
  // Another flavour keeps empty pages for later: the process would look larger than it leaves itself.
  return () => gc({ type: "major", flavor: "last-resort" });
}

const collect = collector();
let weighings = 0;

process.on("SIGUSR2", () => void weigh());

async function weigh(): Promise<void> {
  for (let left = COLLECTIONS; left > 0; left--) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  const { heapUsed, heapTotal } = process.memoryUsage();
  process.stderr.write(`weighed ${++weighings}: ${heapUsed} ${heapTotal}\n`);
}

await import("../../cli/main.ts");
