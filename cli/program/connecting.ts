import { Option } from "@commander-js/extra-typings";
import { takesProfile } from "./reach.ts";
import { type Context, handle, type Root } from "./root.ts";

/** `connect`. */
export function addConnecting(program: Root, context: Context): void {
  program.commandsGroup("Set up:");
  const command = program.command("connect")
    .description("point a client at this gateway; without --write it only says how")
    .argument("[client]", "claude-desktop, claude-code, cursor, vscode, codex or windsurf")
    .option("--all", "every client whose file is found")
    .addOption(new Option("--print", "say what to add (the default)"))
    .addOption(new Option("--write", "add it to the client's file").conflicts(["print"]))
    .addOption(
      new Option("--link", "print the link that asks the client").conflicts(["print", "write"]),
    )
    .addOption(
      new Option("--undo", "put the file back as it was").conflicts(["print", "write", "link"]),
    )
    .addOption(
      new Option("--replace", "with --write: the client's own servers go behind the gateway")
        .conflicts(["print", "link", "undo"]).implies({ write: true as const }),
    )
    .option("--name <name>", "of the entry", "sentinel")
    .option("--url <url>", "of the gateway's endpoint (default: the one that runs here)")
    .option("--token-env <name>", "variable from which the client takes the token")
    .option("--token-file <file>", "file that holds the token, for clients that start a command")
    .addOption(new Option("--project", "the project's file, in this folder"))
    .addOption(new Option("--user", "the user's file").conflicts("project"));
  takesProfile(command);
  command.action((client, _options, invoked) =>
    handle(context, invoked, async (invocation) => {
      const { connectClients } = await import("../commands/connect.ts");
      return await connectClients({ ...invocation, client });
    })
  );
}
