/** The tree of commands as plain data, for manual pages and the reference. */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { reachesGateway } from "../program/reach.ts";

export interface ShownOption {
  /** `-c, --config <file>`. */
  readonly flags: string;
  readonly about: string;
  /** Words it takes, when these are all. */
  readonly choices: readonly string[];
  readonly group: string | undefined;
}

export interface ShownArgument {
  readonly name: string;
  readonly about: string;
  readonly choices: readonly string[];
  readonly isRequired: boolean;
  readonly isVariadic: boolean;
}

export interface ShownCommand {
  /** With those above it, without the program: `backends list`. */
  readonly path: string;
  readonly alias: string | undefined;
  readonly about: string;
  /** Behind the path: `[options] <name>`. */
  readonly usage: string;
  readonly arguments: readonly ShownArgument[];
  /** Its own, without those that every command has. */
  readonly options: readonly ShownOption[];
  /** Whether it talks to a gateway. */
  readonly isRemote: boolean;
  readonly commands: readonly ShownCommand[];
  /** Heading of the help it stands under. */
  readonly group: string;
}

/** All visible commands below one, depth first in the order of the help. */
export function treeOf(command: CommandUnknownOpts, above = "", group = ""): ShownCommand {
  const help = command.createHelp();
  const path = command.parent === null ? "" : `${above} ${command.name()}`.trim();
  const commands = help.visibleCommands(command).filter(({ parent }) => parent === command);
  const own = command.helpGroup() || group;
  return {
    path,
    alias: command.alias() || undefined,
    about: command.description(),
    usage: command.usage(),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      about: argument.description,
      choices: argument.argChoices ?? [],
      isRequired: argument.required,
      isVariadic: argument.variadic,
    })),
    options: help.visibleOptions(command).filter(({ long }) => long !== "--help")
      .map(({ flags, description, argChoices, helpGroupHeading }) => ({
        flags,
        about: description,
        choices: argChoices ?? [],
        group: helpGroupHeading,
      })),
    isRemote: reachesGateway(command),
    commands: byGroup(commands.map((each) => treeOf(each, path, own))),
    group: own,
  };
}

/** Groups in the order of the help, which is that of their first command. */
function byGroup(commands: readonly ShownCommand[]): readonly ShownCommand[] {
  return [...Map.groupBy(commands, ({ group }) => group).values()].flat();
}

/** A command and everything below it, as a list; the first is the command itself. */
export function flat(command: ShownCommand): ShownCommand[] {
  return [command, ...command.commands.flatMap(flat)];
}

/** `mcp-sentinel backends show [options] <name>`. */
export function synopsis({ path, usage }: ShownCommand): string {
  return `mcp-sentinel ${path} ${usage}`.replaceAll(/\s+/g, " ").trim();
}
