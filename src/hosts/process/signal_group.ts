import { spawnSync } from "node:child_process";
import process from "node:process";
import { runsInGroup } from "./process_table.ts";

/** Signals a process group; a group that is gone is fine. */
export function signalGroup(group: number, signal: "SIGTERM" | "SIGKILL"): void {
  if (send(group, signal) !== "refused") return;
  // Deno with a list of allowed programs refuses process.kill; "kill" may be on that list.
  try {
    spawnSync("kill", ["-s", signal.slice(3), "--", `-${group}`], { stdio: "ignore", env: {} });
  } catch {
    return; // not on the list: the child still gets the end of its stdin
  }
}

/**
 * Whether a process of the group still runs. Zombies count only where there is no `/proc`: in a container
 * without an init they stay for ever. False where it cannot be told.
 */
export function groupRuns(group: number): boolean {
  return send(group, 0) === "sent" && runsInGroup(group) !== false;
}

function send(group: number, signal: "SIGTERM" | "SIGKILL" | 0): "sent" | "gone" | "refused" {
  try {
    process.kill(-group, signal);
    return "sent";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH" ? "gone" : "refused";
  }
}
