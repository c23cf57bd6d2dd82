import { envFileOption, listenOption, logLevelOption, withListener } from "./options.ts";
import { type Context, handle, type Root } from "./root.ts";

/** `up`, `server`, `stdio`. */
export function addRunning(program: Root, context: Context): void {
  program.commandsGroup("Run:");
  withListener(
    program.command("up").alias("dev")
      .description("start now with what you have; no file needed")
      .argument("[command...]", "after --: a server to start, such as  -- npx -y some-server")
      .option("--backend <name=url>", "an HTTP server; may be repeated", collect, [])
      .addOption(listenOption()).addOption(logLevelOption()).addOption(envFileOption()),
  ).action((words, _options, command) =>
    handle(context, command, async (invocation) => {
      const { up } = await import("../commands/up.ts");
      return await up({ ...invocation, words });
    })
  );
  withListener(
    program.command("server").alias("serve")
      .description("run the gateway from sentinel.toml")
      .addOption(listenOption()).addOption(logLevelOption()).addOption(envFileOption()),
  ).action((_options, command) =>
    handle(context, command, async (invocation) => {
      const { server } = await import("../commands/server.ts");
      return await server(invocation);
    })
  );
  program.command("stdio")
    .description("speak MCP on stdin and stdout, for clients that start their servers")
    .addOption(logLevelOption()).addOption(envFileOption())
    .action((_options, command) =>
      handle(context, command, async (invocation) => {
        const { stdio } = await import("../commands/stdio.ts");
        return await stdio(invocation);
      })
    );
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
