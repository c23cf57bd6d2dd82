import { Option } from "@commander-js/extra-typings";
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
      .addOption(fromOption())
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
    .option("--url <url>", "lead to the gateway that listens there, instead of starting one")
    .option("--token-env <name>", "with --url: variable that holds the token", "SENTINEL_TOKEN")
    .option(
      "--token-file <file>",
      "with --url: file that holds it, for clients that pass on no variables",
    )
    .addOption(logLevelOption()).addOption(envFileOption())
    .action((_options, command) =>
      handle(context, command, async (invocation) => {
        const { stdio } = await import("../commands/stdio.ts");
        return await stdio(invocation);
      })
    );
}

function fromOption() {
  return new Option("--from <source>", "found: the servers in the files of your clients")
    .choices(["found"] as const);
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
