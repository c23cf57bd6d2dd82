/** One line on stderr about what is going on; only on a terminal, and gone at the end. */
import type { Io } from "../io.ts";
import type { Output } from "../output.ts";

/** To the start of the line, and what stands there is gone. */
const CLEAR = "\r\u001b[K";

export interface Progress {
  show(text: string): void;
  end(): void;
}

export function createProgress(io: Io, output: Output): Progress {
  const isShown = io.err.isTerminal && !output.isQuiet && !output.isJson &&
    io.env["TERM"] !== "dumb";
  let written = false;
  return {
    show: (text) => {
      if (!isShown) return;
      written = true;
      io.err.write(`${CLEAR}${output.paintError("faint", text)}`);
    },
    end: () => {
      if (written) io.err.write(CLEAR);
      written = false;
    },
  };
}
