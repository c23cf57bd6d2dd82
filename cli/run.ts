import { CommanderError } from "@commander-js/extra-typings";
import { CommandFailed, EXIT } from "./exit.ts";
import type { Io } from "./io.ts";
import { type GlobalOptions, Output } from "./output.ts";
import { createProgram } from "./program.ts";

/** Runs one command line (without program name) and resolves with its exit code. Never rejects. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const result = { code: EXIT.done as number };
  const completing = argv.includes("completion") || argv[0] === "complete";
  const program = createProgram(io, { setCode: (code) => result.code = code, completing });
  try {
    if (completing) (await import("./commands/completion.ts")).addCompletion(program);
    await program.parseAsync(argv, { from: "user" });
    return result.code;
  } catch (thrown) {
    return report(thrown, new Output(io, program.opts()), program.opts());
  }
}

function report(thrown: unknown, output: Output, options: GlobalOptions): number {
  // Commander has already written its message.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (thrown instanceof CommandFailed) {
    const { code, message, hint } = thrown;
    if (output.isJson) output.json("error", { code, message, hint });
    else output.error(message, hint);
    return code;
  }
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const hint = options.verbose
    ? ""
    : "this is a defect of mcp-sentinel; -v shows where it happened";
  output.error(error.message, hint);
  if (options.verbose) output.problem(error.stack ?? "");
  return EXIT.failed;
}
