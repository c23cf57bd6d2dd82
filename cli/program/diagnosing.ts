import { envFileOption, withTarget } from "./options.ts";
import { type Context, handle, type Root } from "./root.ts";

/** `doctor`. */
export function addDiagnosing(program: Root, context: Context): void {
  program.commandsGroup("Check:");
  withTarget(
    program.command("doctor")
      .description(
        "say what is wrong and what to do about it; changes nothing, exit 6 on a failure",
      )
      .argument("[backend...]", "only these backends, by their names in the configuration")
      .option("--no-start", "start no process: only look whether its program is there")
      .option("--conformance", "run the official suite directly and through a gateway")
      .addOption(envFileOption())
      .addHelpText("after", NOTE),
  ).action((backends, _options, command) =>
    handle(context, command, async (invocation) => {
      const { doctor } = await import("../commands/doctor.ts");
      return await doctor({ ...invocation, backends });
    })
  );
}

const NOTE = `
Processes of backends are started to greet them, and ended again; no tool is called. What is written to a store
is taken back. --timeout is for each check (default 20s).
`;
