import { setImmediate } from "node:timers";
import type { CliClock, Io } from "../../cli/io.ts";
import { run } from "../../cli/run.ts";

export interface FakeIoOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** True: both streams are terminals. */
  readonly terminal?: boolean;
  /** Characters in a line of the terminal. */
  readonly columns?: number;
  readonly ask?: (question: string) => Promise<string>;
  /** What stands on stdin. */
  readonly input?: string;
  /** Default: the real one. */
  readonly clock?: CliClock;
  /** Presses Ctrl-C. */
  readonly interrupt?: AbortSignal;
  /** Sees stdout as it is written. */
  readonly onOut?: (text: string) => void;
  readonly onErr?: (text: string) => void;
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
  const stream = { isTerminal, isOpen: true, columns: options.columns, drained: turn };
  const io: Io = {
    out: {
      ...stream,
      write: (text) => {
        written.out += text;
        options.onOut?.(text);
      },
    },
    err: {
      ...stream,
      write: (text) => {
        written.err += text;
        options.onErr?.(text);
      },
    },
    env: { HOME: "/nonexistent", ...options.env },
    cwd: options.cwd ?? "/nonexistent",
    input: () => Promise.resolve(options.input ?? ""),
    ask: options.ask,
    clock: options.clock ?? { now: () => Date.now(), after },
    onInterrupt: (run) => {
      options.interrupt?.addEventListener("abort", run, { once: true });
      return () => options.interrupt?.removeEventListener("abort", run);
    },
    loadHost: options.loadHost ?? (() => Promise.reject(new Error("no host in this test"))),
  };
  const code = await run(argv, io);
  return { code, ...written };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function after(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}
