import process from "node:process";
import { setImmediate } from "node:timers";

/** Characters kept back before they are written at once. */
const MAX_KEPT = 64 * 1024;

export interface LineSink {
  /** Takes one line, its end included; it is written soon, and before the process exits. */
  write(line: string): void;
  /** Writes what is left; afterwards nothing waits for the end of the process. */
  close(): void;
}

/**
 * stderr for log lines: those of one turn of the event loop go out in one write, because each write is a
 * system call that costs as much as a good part of a call.
 */
export function createStderrSink(): LineSink {
  let kept = "";
  let scheduled = false;
  const flush = () => {
    scheduled = false;
    if (kept === "") return;
    const text = kept;
    kept = "";
    process.stderr.write(text);
  };
  process.once("exit", flush);
  return {
    write(line) {
      kept += line;
      if (kept.length >= MAX_KEPT) return flush();
      if (scheduled) return;
      scheduled = true;
      setImmediate(flush);
    },
    close() {
      process.off("exit", flush);
      flush();
    },
  };
}
