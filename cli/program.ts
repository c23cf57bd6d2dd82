/** The tree of commands. Each handler is loaded when its command runs, so that help stays quick. */
import { Command, Option } from "@commander-js/extra-typings";
import type { Io } from "./io.ts";
import { hasColor, Output } from "./output.ts";
import { VERSION } from "./version.ts";

type SetCode = (code: number) => void;
type Root = ReturnType<typeof createRoot>;

interface ProgramOptions {
  /** Gets the exit code of the command that ran. */
  readonly setCode: SetCode;
  /** True when the real `completion` is added afterwards: it needs the finished tree. */
  readonly completing: boolean;
}

/** The program for one command line. */
export function createProgram(io: Io, { setCode, completing }: ProgramOptions): Root {
  const program = createRoot(io);
  addRunning(program, io, setCode);
  addSettingUp(program, io, setCode);
  addChecking(program, io, setCode);
  addOthers(program, io, setCode);
  if (!completing) {
    program.command("completion").argument("<shell>")
      .description("print a completion script for bash, zsh, fish or powershell");
  }
  return program;
}

function createRoot(io: Io) {
  return new Command("mcp-sentinel")
    .description("One gateway between every MCP client and every MCP server")
    .version(VERSION, "-V, --version", "print the version")
    .option("-c, --config <file>", "configuration file (default: the first of `config path`)")
    .option("-q, --quiet", "only results and errors")
    .option("-v, --verbose", "log more")
    .option("--json", "print one JSON object")
    .option("--no-color", "plain text (also NO_COLOR; FORCE_COLOR for the opposite)")
    .helpOption("-h, --help", "show help")
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true, subcommandTerm })
    .addHelpText("after", EXAMPLES)
    .configureOutput({
      writeOut: (text) => io.out.write(text),
      writeErr: (text) => io.err.write(text),
      getOutHelpWidth: () => io.out.columns ?? 100,
      getErrHelpWidth: () => io.err.columns ?? 100,
      getOutHasColors: () => hasColor(io.out, io.env, {}),
      getErrHasColors: () => hasColor(io.err, io.env, {}),
    })
    .showSuggestionAfterError()
    .exitOverride();
}

const EXAMPLES = `
Examples:
  mcp-sentinel up -- npx -y @modelcontextprotocol/server-everything
  mcp-sentinel up --backend docs=https://mcp.example.com/mcp
  mcp-sentinel init && mcp-sentinel validate && mcp-sentinel server
`;

/** Name and alias; the arguments stand in the help of the command. */
function subcommandTerm(command: { name(): string; alias(): string }): string {
  return command.alias() ? `${command.name()}, ${command.alias()}` : command.name();
}

function addRunning(program: Root, io: Io, setCode: SetCode): void {
  program.commandsGroup("Run:");
  program.command("up").alias("dev")
    .description("start now with what you have; no file needed")
    .argument("[command...]", "after --: a server to start, such as  -- npx -y some-server")
    .option("--backend <name=url>", "an HTTP server; may be repeated", collect, [])
    .addOption(listenOption()).addOption(logLevelOption()).addOption(envFileOption())
    .action(async (words, _options, command) => {
      const options = command.optsWithGlobals();
      const { up } = await import("./commands/up.ts");
      setCode(await up({ io, output: new Output(io, options), options, words }));
    });
  program.command("server").alias("serve")
    .description("run the gateway from sentinel.toml")
    .addOption(listenOption()).addOption(logLevelOption()).addOption(envFileOption())
    .action(async (_options, command) => {
      const options = command.optsWithGlobals();
      const { server } = await import("./commands/server.ts");
      setCode(await server({ io, output: new Output(io, options), options }));
    });
  program.command("stdio")
    .description("speak MCP on stdin and stdout, for clients that start their servers")
    .addOption(logLevelOption()).addOption(envFileOption())
    .action(async (_options, command) => {
      const options = command.optsWithGlobals();
      const { stdio } = await import("./commands/stdio.ts");
      setCode(await stdio({ io, output: new Output(io, options), options }));
    });
}

function addSettingUp(program: Root, io: Io, setCode: SetCode): void {
  program.commandsGroup("Set up:");
  program.command("init")
    .description("write a commented sentinel.toml")
    .argument("[file]", "where to write it", "sentinel.toml")
    .option("-f, --force", "overwrite what is there")
    .option("-y, --yes", "ask nothing")
    .action(async (file, _options, command) => {
      const options = command.optsWithGlobals();
      const { init } = await import("./commands/init.ts");
      setCode(await init({ io, output: new Output(io, options), options, file }));
    });
}

function addChecking(program: Root, io: Io, setCode: SetCode): void {
  program.commandsGroup("Check:");
  program.command("validate")
    .description("parse, resolve and check the configuration; exit 3 when something is wrong")
    .argument("[file]", "configuration file")
    .addOption(
      new Option("--format <format>", "how problems are printed").choices([
        "text",
        "json",
        "github",
      ])
        .default("text"),
    )
    .addOption(envFileOption())
    .action(async (file, _options, command) => {
      const options = command.optsWithGlobals();
      const { validate } = await import("./commands/validate.ts");
      setCode(await validate({ io, output: new Output(io, options), options, file }));
    });
}

function addOthers(program: Root, io: Io, setCode: SetCode): void {
  program.commandsGroup("Other:");
  addConfig(program, io, setCode);
  program.command("version")
    .description("print version and runtime")
    .action(async (_options, command) => {
      const { version } = await import("./commands/version.ts");
      setCode(version(new Output(io, command.optsWithGlobals())));
    });
}

function addConfig(program: Root, io: Io, setCode: SetCode): void {
  const config = program.command("config").description("look at the configuration")
    .helpCommand(false);
  config.command("show")
    .description("print what is in force: defaults filled in, secrets replaced")
    .addOption(envFileOption())
    .action(async (_options, command) => {
      const options = command.optsWithGlobals();
      const { showConfig } = await import("./commands/config_show.ts");
      setCode(await showConfig({ io, output: new Output(io, options), options }));
    });
  config.command("path")
    .description("print which file is used, and where it is looked for")
    .action(async (_options, command) => {
      const options = command.optsWithGlobals();
      const { configPath } = await import("./commands/config_path.ts");
      setCode(await configPath({ io, output: new Output(io, options), options }));
    });
  config.command("explain")
    .description("explain a key and where its value comes from")
    .argument("<key>", "such as server.listen or backends.timeout")
    .addOption(envFileOption())
    .action(async (key, _options, command) => {
      const options = command.optsWithGlobals();
      const { explainConfig } = await import("./commands/config_explain.ts");
      setCode(await explainConfig({ io, output: new Output(io, options), options, key }));
    });
  config.command("schema")
    .description("print the JSON Schema of the file, for editors")
    .action(async (_options, command) => {
      const { configSchema } = await import("./commands/config_schema.ts");
      setCode(configSchema(new Output(io, command.optsWithGlobals())));
    });
}

function listenOption() {
  return new Option("--listen <host:port>", "address for clients; wins over the file");
}

function logLevelOption() {
  return new Option("--log-level <level>", "least severe events to log")
    .choices(["debug", "info", "warn", "error"] as const);
}

function envFileOption() {
  return new Option("--env-file <file>", "variables for ${env:NAME}; the environment wins");
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
