/** The root of the tree of commands, and what every command of it starts with. */
import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { Io } from "../io.ts";
import { hasColor, Output } from "../output.ts";
import { VERSION } from "../version.ts";

export type Root = ReturnType<typeof createRoot>;

/** What the tree is built with. */
export interface Context {
  readonly io: Io;
  /** Gets the exit code of the command that ran. */
  readonly setCode: (code: number) => void;
}

/** What every handler gets. */
interface Invocation<Options> {
  readonly io: Io;
  readonly output: Output;
  readonly options: Options;
}

/** Runs a handler; handlers are loaded when their command runs, so that help stays quick. */
export async function handle<Options extends object>(
  { io, setCode }: Context,
  command: { optsWithGlobals(): Options },
  handler: (invocation: Invocation<Options>) => Promise<number>,
): Promise<void> {
  const options = command.optsWithGlobals();
  setCode(await handler({ io, output: new Output(io, options), options }));
}

const EXAMPLES = `
Examples:
  mcp-sentinel up -- npx -y @modelcontextprotocol/server-everything
  mcp-sentinel up --backend docs=https://mcp.example.com/mcp
  mcp-sentinel init && mcp-sentinel validate && mcp-sentinel server
  mcp-sentinel status --watch
`;

export function createRoot(io: Io) {
  return new Command("mcp-sentinel")
    .description("One gateway between every MCP client and every MCP server")
    .version(VERSION, "-V, --version", "print the version")
    .option("-c, --config <file>", "configuration file (default: the first of `config path`)")
    .option("-p, --profile <name>", "gateway to talk to (default: see `profile use`)")
    .addOption(timeoutOption())
    .option("-q, --quiet", "only results and errors")
    .option("-v, --verbose", "log more")
    .option("--json", "print JSON")
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

/** Name and alias; the arguments stand in the help of the command. */
function subcommandTerm(command: { name(): string; alias(): string }): string {
  return command.alias() ? `${command.name()}, ${command.alias()}` : command.name();
}

function timeoutOption() {
  return new Option("--timeout <duration>", "how long to wait for a gateway, such as 30s")
    .argParser((text) => {
      if (/^[1-9]\d{0,5}(ms|s|m)$/.test(text)) return text;
      throw new InvalidArgumentError('Write a duration, such as "500ms", "30s" or "2m".');
    });
}
