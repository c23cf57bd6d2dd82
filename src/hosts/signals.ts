import { closeSync, openSync } from "node:fs";
import process from "node:process";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
const EXIT_FORCED = 143;

/** Runs `stop` on the first SIGTERM or SIGINT; the second one ends the process at once. Returns the undo. */
export function onStopSignal(stop: () => void): () => void {
  let asked = false;
  const handle = () => {
    if (asked) process.exit(EXIT_FORCED);
    asked = true;
    stop();
  };
  for (const signal of SIGNALS) process.on(signal, handle);
  return () => {
    for (const signal of SIGNALS) process.off(signal, handle);
  };
}

export interface HangUpHandlers {
  /** Somebody sent SIGHUP. */
  readonly reload: () => void;
  /** The terminal we were started in is gone. */
  readonly stop: () => void;
}

/** Tells the two meanings of SIGHUP apart. Returns the undo. */
export function onHangUp({ reload, stop }: HangUpHandlers): () => void {
  const attended = process.stdin.isTTY === true;
  const handle = () => attended && !hasTerminal() ? stop() : reload();
  process.on("SIGHUP", handle);
  return () => void process.off("SIGHUP", handle);
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
