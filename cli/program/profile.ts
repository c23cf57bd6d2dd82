import { type Context, handle, type Root } from "./root.ts";
import { takesTimeout } from "./reach.ts";

/** `profile`: gateways by name. */
export function addProfile(program: Root, context: Context): void {
  const load = () => import("../commands/profile.ts");
  const noun = program.command("profile").description("gateways you know by name")
    .helpCommand(false);
  noun.command("list").alias("ls").description("all of them, and what runs on this machine")
    .action((_options, command) =>
      handle(context, command, async (given) => await (await load()).listProfiles(given))
    );
  noun.command("add").description("remember a gateway; its token stays where it is")
    .argument("<name>", "letters, digits, dot, hyphen, underscore")
    .requiredOption("--url <url>", "address of its management API")
    .option("--token-env <name>", "variable that holds the token")
    .option("--token-file <file>", "file that holds the token")
    .option("--ca <file>", "authority of its certificate (PEM)")
    .option("--cert <file>", "our client certificate (PEM)")
    .option("--key <file>", "our key (PEM)")
    .option("--production", "every change asks for the name")
    .action((name, _options, command) =>
      handle(context, command, async (given) => await (await load()).addProfile({ ...given, name }))
    );
  noun.command("use").description("choose the one that commands talk to")
    .argument("[name]", "as in `profile list`; none: the gateway on this machine")
    .action((name, _options, command) =>
      handle(context, command, async (given) => await (await load()).useProfile({ ...given, name }))
    );
  noun.command("remove").alias("rm").description("forget one")
    .argument("<name>", "as in `profile list`")
    .action((name, _options, command) =>
      handle(
        context,
        command,
        async (given) => await (await load()).removeProfile({ ...given, name }),
      )
    );
  takesTimeout(noun.command("test")).description("connect, and say what answered")
    .argument("<name>", "as in `profile list`")
    .action((name, _options, command) =>
      handle(
        context,
        command,
        async (given) => await (await load()).testProfile({ ...given, name }),
      )
    );
}
