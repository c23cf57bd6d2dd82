import { Option } from "@commander-js/extra-typings";
import { CLIENTS } from "../clients/clients.ts";
import { type Context, handle, type Root } from "./root.ts";

/** `import`: servers of other programs' files. */
export function addImporting(program: Root, context: Context): void {
  program.commandsGroup("Set up:");
  program.command("import")
    .description(
      "take over the servers of Claude, Cursor, VS Code, Codex, …; shows them without --write",
    )
    .argument("[file...]", "files in place of those of the clients; - is stdin")
    .addOption(fromOption())
    .option("--workspace <folder>", "what ${workspaceFolder} stands for (default: this folder)")
    .option("--write", "add them to the configuration")
    .action((files, _options, command) =>
      handle(context, command, async (invocation) => {
        const { importServers } = await import("../commands/import.ts");
        return await importServers({ ...invocation, files });
      })
    );
}

function fromOption() {
  return new Option("--from <client>", "only its files, or an export of contextforge")
    .choices([...Object.keys(CLIENTS), "contextforge"]);
}
