import { cpus, loadavg } from "node:os";
import type { RuntimeName } from "./options.ts";
import { RUNTIMES } from "./options.ts";
import { versionOf } from "./runtimes.ts";

const LABELS: Record<RuntimeName, string> = { node: "Node", bun: "Bun", deno: "Deno" };

/** What the figures were taken on, in one line; says nothing that identifies the machine. */
export function machineLine(pinned: boolean): string {
  const versions = RUNTIMES.map((runtime) => `${LABELS[runtime]} ${versionOf(runtime)}`);
  return [
    `${cpus().length} cores`,
    cpus()[0]?.model.trim() ?? "unknown CPU",
    ...versions,
    pinned ? "load and backend on core 0, targets on core 1" : "nothing pinned",
  ].join("; ");
}

/** The one-minute load average now, with one decimal. */
export function loadNow(): string {
  return (loadavg()[0] ?? Number.NaN).toFixed(1);
}
