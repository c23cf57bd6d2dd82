/** Whether a command line is one: its commands, options and arguments, without running it. */
import { CommanderError } from "@commander-js/extra-typings";
import type { Io, Sink } from "../../cli/io.ts";
import { createProgram } from "../../cli/program.ts";

class Understood extends Error {}

/** What the program says about a command line that it does not understand; undefined for the others. */
export async function understood(words: readonly string[]): Promise<string | undefined> {
  const said: string[] = [];
  const program = createProgram({ io: listening(said), setCode: () => {}, completing: false });
  program.hook("preAction", () => {
    throw new Understood();
  });
  try {
    await program.parseAsync([...words], { from: "user" });
  } catch (thrown) {
    if (thrown instanceof Understood) return undefined;
    if (!(thrown instanceof CommanderError)) throw thrown;
    // A group of commands by itself.
    if (thrown.code === "commander.help") return undefined;
  }
  return `${words.join(" ")}: ${said.join("")}`;
}

function listening(said: string[]): Io {
  const sink: Sink = {
    write: (text) => void said.push(text),
    isTerminal: false,
    isOpen: true,
    drained: () => Promise.resolve(),
  };
  return {
    out: sink,
    err: sink,
    env: {},
    cwd: "/",
    input: () => Promise.resolve(""),
    ask: undefined,
    clock: { now: () => 0, after: () => () => {} },
    onInterrupt: () => () => {},
    loadHost: () => Promise.reject(new Error("no host in this test")),
  };
}

/** Words as a shell makes them of a line, with quotes but nothing else. */
export function wordsOf(line: string): readonly string[] {
  const words = line.match(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g) ?? [];
  return words.map((word) => word.replaceAll(/['"]/g, ""));
}
