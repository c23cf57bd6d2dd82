import type { Io } from "../../cli/io.ts";
import { run } from "../../cli/run.ts";

export interface FakeIoOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** True: both streams are terminals. */
  readonly terminal?: boolean;
  readonly ask?: (question: string) => Promise<string>;
  readonly loadHost?: Io["loadHost"];
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line within this process, without its environment. */
export async function runCli(argv: readonly string[], options: FakeIoOptions = {}): Promise<Ran> {
  const written = { out: "", err: "" };
  const isTerminal = options.terminal ?? false;
  const io: Io = {
    out: { write: (text) => void (written.out += text), isTerminal },
    err: { write: (text) => void (written.err += text), isTerminal },
    env: { HOME: "/nonexistent", ...options.env },
    cwd: options.cwd ?? "/nonexistent",
    ask: options.ask,
    loadHost: options.loadHost ?? (() => Promise.reject(new Error("no host in this test"))),
  };
  const code = await run(argv, io);
  return { code, ...written };
}
