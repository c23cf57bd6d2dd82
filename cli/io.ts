/** What a command sees of the world: streams, environment, folder. Tests bring their own. */
import process from "node:process";
import { createInterface } from "node:readline/promises";

export interface Sink {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Characters in a line, where that is known. */
  readonly columns?: number | undefined;
}

export interface Io {
  /** The result, and nothing else. */
  readonly out: Sink;
  /** Progress, warnings, errors. */
  readonly err: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Asks a person; undefined when nobody is there. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** The composition root, loaded by the commands that start a gateway. */
  readonly loadHost: typeof loadHost;
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
  const attended = process.stdin.isTTY === true && process.stderr.isTTY === true;
  return {
    out: sinkOf(process.stdout),
    err: sinkOf(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    ask: attended ? ask : undefined,
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
    columns: stream.columns,
  };
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
