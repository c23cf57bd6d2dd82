import { Option } from "@commander-js/extra-typings";
import { envFileOption, withTarget } from "./options.ts";
import { type Context, handle, type Root } from "./root.ts";

/** `policy`, `auth`: who may do what, and why. */
export function addAsking(program: Root, context: Context): void {
  program.commandsGroup("Check:");
  addPolicy(program, context);
  addAuth(program, context);
}

function addPolicy(program: Root, context: Context): void {
  const noun = program.command("policy").description("who may call what, by the configuration")
    .helpCommand(false);
  noun.command("test")
    .description("may a role call a tool with these arguments? exit 1 when not")
    .argument("<words...>", "ROLE TOOL, or the tool alone with --role or --token")
    .option("--role <role>", "role of the caller; may be repeated", collect)
    .option("--token <token>", "token of the caller; - reads it from stdin")
    .option("--token-env <name>", "variable that holds the token")
    .option("--subject <name>", "with a role: who calls, for rules that look at it")
    .option("--backend <name>", "who offers the tool, where its name does not tell")
    .addOption(argumentsOption()).addOption(envFileOption())
    .action((words, _options, command) =>
      handle(context, command, async (given) => {
        const { testPolicy } = await import("../commands/policy.ts");
        return await testPolicy({ ...given, words });
      })
    );
}

function addAuth(program: Root, context: Context): void {
  const noun = program.command("auth").description("how callers prove who they are")
    .helpCommand(false);
  withTarget(
    noun.command("explain")
      .description("what a token is worth, and why; exit 5 when it would be refused")
      .argument("[token]", "the token; - or nothing reads it from stdin")
      .option("--token-env <name>", "variable that holds the token")
      .addOption(envFileOption()),
  ).action((token, _options, command) =>
    handle(context, command, async (given) => {
      const { explainToken } = await import("../commands/auth.ts");
      return await explainToken({ ...given, token });
    })
  );
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function argumentsOption() {
  return new Option("--args <json>", "arguments as a JSON object; - reads it from stdin");
}
