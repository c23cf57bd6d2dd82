import { Option } from "@commander-js/extra-typings";
import { envFileOption } from "./options.ts";
import { type Context, handle, type Root } from "./root.ts";

/** `init`, `validate`: what works on files, without a gateway. */
export function addLocal(program: Root, context: Context): void {
  program.commandsGroup("Set up:");
  program.command("init")
    .description("write a commented sentinel.toml")
    .argument("[file]", "where to write it", "sentinel.toml")
    .option("-f, --force", "overwrite what is there")
    .option("-y, --yes", "ask nothing")
    .action((file, _options, command) =>
      handle(context, command, async (invocation) => {
        const { init } = await import("../commands/init.ts");
        return await init({ ...invocation, file });
      })
    );
  program.commandsGroup("Check:");
  program.command("validate")
    .description("parse, resolve and check the configuration; exit 3 when something is wrong")
    .argument("[file]", "configuration file")
    .addOption(formatOption()).addOption(envFileOption())
    .action((file, _options, command) =>
      handle(context, command, async (invocation) => {
        const { validate } = await import("../commands/validate.ts");
        return await validate({ ...invocation, file });
      })
    );
}

/** `config`, `info`, `man`, `schema`, `version`. */
export function addOthers(program: Root, context: Context): void {
  program.commandsGroup("Other:");
  addConfig(program, context);
  addPages(program, context);
  program.command("info")
    .description("print where files are, and which gateways run on this machine")
    .action((_options, command) =>
      handle(context, command, async (invocation) => {
        const { info } = await import("../commands/info.ts");
        return await info(invocation);
      })
    );
  program.command("version")
    .description("print version and runtime")
    .action((_options, command) =>
      handle(context, command, async ({ output }) => {
        const { version } = await import("../commands/version.ts");
        return version(output);
      })
    );
}

function addConfig(program: Root, context: Context): void {
  const config = program.command("config").description("look at the configuration")
    .helpCommand(false);
  config.command("show")
    .description("print what is in force: defaults filled in, secrets replaced")
    .addOption(envFileOption())
    .action((_options, command) =>
      handle(context, command, async (invocation) => {
        const { showConfig } = await import("../commands/config_show.ts");
        return await showConfig(invocation);
      })
    );
  config.command("path")
    .description("print which file is used, and where it is looked for")
    .action((_options, command) =>
      handle(context, command, async (invocation) => {
        const { configPath } = await import("../commands/config_path.ts");
        return await configPath(invocation);
      })
    );
  config.command("explain")
    .description("explain a key and where its value comes from")
    .argument("<key>", "such as server.listen or backends.timeout")
    .addOption(envFileOption())
    .action((key, _options, command) =>
      handle(context, command, async (invocation) => {
        const { explainConfig } = await import("../commands/config_explain.ts");
        return await explainConfig({ ...invocation, key });
      })
    );
  config.command("schema")
    .description("print the JSON Schema of the file, for editors")
    .action((_options, command) =>
      handle(context, command, async ({ output }) => {
        const { configSchema } = await import("../commands/config_schema.ts");
        return configSchema(output);
      })
    );
}

function addPages(program: Root, context: Context): void {
  program.command("man")
    .description("print the manual page, of everything or of one command")
    .argument("[command...]", "such as  backends show")
    .option("--dir <folder>", "write it there instead")
    .action((words, _options, command) =>
      handle(context, command, async (invocation) => {
        const { man } = await import("../commands/man.ts");
        return await man({ ...invocation, words, program });
      })
    );
  program.command("schema")
    .description("print the JSON Schema of what --json prints")
    .argument("[kind]", "one kind, such as  status")
    .action((kind, _options, command) =>
      handle(context, command, async ({ output }) => {
        const { schema } = await import("../commands/schema.ts");
        return schema(output, kind);
      })
    );
}

function formatOption() {
  return new Option("--format <format>", "how problems are printed")
    .choices(["text", "json", "github"])
    .default("text");
}
