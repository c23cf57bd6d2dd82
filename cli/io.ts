/** What a command sees of the world: streams, environment, folder. Tests bring their own. */
import { Buffer } from "node:buffer";
import process from "node:process";

export interface Sink {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Characters in a line, where that is known. */
  readonly columns?: number | undefined;
  /** False when the reader has gone. */
  readonly isOpen: boolean;
  /** Resolves when what was written has left the process, so that a slow reader slows the writer. */
  drained(): Promise<void>;
}

export interface Io {
  /** The result, and nothing else. */
  readonly out: Sink;
  /** Progress, warnings, errors. */
  readonly err: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Everything on stdin. @throws Error when it is longer than `largest` bytes */
  readonly input: (largest: number) => Promise<string>;
  /** Asks a person; undefined when nobody is there. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  readonly clock: CliClock;
  /** Calls `run` when the person presses Ctrl-C, once; the returned function takes that back. */
  readonly onInterrupt: (run: () => void) => () => void;
  /** The composition root, loaded by the commands that start a gateway. */
  readonly loadHost: typeof loadHost;
}

export interface CliClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once; the returned function takes that back. */
  after(ms: number, run: () => void): () => void;
}

/** The gateway for this runtime: heavy, so only `up`, `server` and `stdio` load it. */
export async function loadHost() {
  return await import("../src/hosts/compose.ts");
}

/** A running gateway. */
export type Gateway = Awaited<
  ReturnType<Awaited<ReturnType<typeof loadHost>>["startGateway"]>
>;

/** The process's own streams. A reader that has gone (`| head`) ends the output, not the program. */
export function systemIo(): Io {
  return {
    out: sinkOf(process.stdout),
    err: sinkOf(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    input,
    // Opening stdin takes time, and few commands look.
    get ask() {
      return process.stderr.isTTY === true && process.stdin.isTTY === true ? ask : undefined;
    },
    clock: { now: () => Date.now(), after },
    onInterrupt,
    loadHost,
  };
}

function sinkOf(stream: NodeJS.WriteStream): Sink {
  let open = true;
  stream.on("error", () => open = false);
  return {
    write: (text) => {
      if (open) stream.write(text);
    },
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.columns;
    },
    get isOpen() {
      return open;
    },
    // The callback comes with an error too, so a reader that goes cannot hold the writer.
    drained: () => new Promise((resolve) => open ? stream.write("", () => resolve()) : resolve()),
  };
}

function after(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

function onInterrupt(run: () => void): () => void {
  process.once("SIGINT", run);
  return () => void process.off("SIGINT", run);
}

async function input(largest: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > largest) throw new Error(`stdin is longer than ${largest} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
}

async function ask(question: string): Promise<string> {
  // Few commands ask; none has to wait for this one when it starts.
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
