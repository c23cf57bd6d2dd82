import { CommanderError } from "@commander-js/extra-typings";
import { CommandFailed, EXIT } from "./exit.ts";
import type { Io } from "./io.ts";
import { type GlobalOptions, Output } from "./output.ts";
import { createProgram } from "./program.ts";

/** Runs one command line (without program name) and resolves with its exit code. Never rejects. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const result = { code: EXIT.done as number };
  const completing = argv.includes("completion") || argv[0] === "complete";
  const program = createProgram({ io, setCode: (code) => result.code = code, completing });
  try {
    if (completing) {
      await (await import("./commands/completion.ts")).addCompletion(program, { io, argv });
    }
    const words = completing ? argv : withoutTui(argv, program.commands, io);
    await program.parseAsync(words, { from: "user" });
    return result.code;
  } catch (thrown) {
    return report(thrown, new Output(io, program.opts()), program.opts());
  }
}

interface Named {
  name(): string;
  aliases(): string[];
}

/** `--no-tui` was how the server ran before there were verbs; it still is, for scripts. */
function withoutTui(
  argv: readonly string[],
  commands: readonly Named[],
  io: Io,
): readonly string[] {
  const end = argv.indexOf("--");
  const own = end < 0 ? argv : argv.slice(0, end);
  if (!own.includes("--no-tui")) return argv;
  io.err.write(
    "warning: --no-tui is deprecated; mcp-sentinel server  runs without a terminal UI\n",
  );
  const names = new Set(commands.flatMap((command) => [command.name(), ...command.aliases()]));
  const kept = own.filter((word) => word !== "--no-tui");
  const verb = kept.some((word) => names.has(word)) ? [] : ["server"];
  return [...verb, ...kept, ...argv.slice(own.length)];
}

function report(thrown: unknown, output: Output, options: GlobalOptions): number {
  // Commander has already written its message.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (thrown instanceof CommandFailed) {
    const { code, message, hint, details } = thrown;
    if (output.isJson) output.json("error", { code, message, hint, ...details });
    else output.error(message, hint, details);
    return code;
  }
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const hint = hintOf(error, options);
  output.error(error.message, hint);
  if (options.verbose) output.problem(error.stack ?? "");
  return EXIT.failed;
}

function hintOf(error: Error, { verbose }: GlobalOptions): string {
  // Deno names the flag in its message.
  if (error.name === "NotCapable") return "docs/executables.md says what needs this permission";
  return verbose ? "" : "this is a defect of mcp-sentinel; -v shows where it happened";
}
