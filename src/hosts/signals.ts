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
