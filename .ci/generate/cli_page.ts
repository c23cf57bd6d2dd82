/** Reference page of the command line, and the published schema of its `--json`. */
import { EXIT } from "../../cli/exit.ts";
import { EXIT_MEANINGS, FILES, KEY_VARIABLES, VARIABLES } from "../../cli/man/facts.ts";
import { flat, type ShownCommand, type ShownOption, synopsis, treeOf } from "../../cli/man/tree.ts";
import { outputSchema } from "../../cli/output_schema.ts";
import { CLI_OUTPUTS, type CliOutputRow } from "../../src/contract/cli_outputs.ts";
import { lookedAt } from "../../tests/cli/command_tree.ts";
import { code, page, table } from "./markdown.ts";

const INTRO =
  "Results go to stdout; progress, warnings and hints go to stderr. Options of the program may stand " +
  "before or behind the command. A mistyped command, option or name is answered with the nearest one. " +
  "Commands that change something say what changed and how to undo it. The same as a manual page: " +
  "`mcp-sentinel man | man -l -`.";

const JSON_TEXT =
  'Each object begins with its name, `"schema": "mcp-sentinel/v1/<kind>"`; its shape is in ' +
  "[cli.schema.json](cli.schema.json), and `mcp-sentinel schema KIND` prints it. Commands that follow " +
  "something print one object a line. A command that fails prints an `error` in place of its result. " +
  "Members may be added within a version, so programs must ignore what they do not know.";

const REMOTE =
  "Commands marked with † talk to a gateway: that of `--profile`, else that of the options below, else the " +
  "profile of `profile use`, else the only one of this user that runs on this machine. Against a gateway of " +
  "another major version they only read, and say so.";

export function cliPage(): string {
  const root = treeOf(lookedAt());
  const groups = Map.groupBy(root.commands, ({ group }) => group);
  const remote = flat(root).find(({ isRemote, options }) => isRemote && options.length > 0);
  return page(
    "Command line",
    INTRO,
    "## Options of every command",
    optionTable(root.options),
    "## Exit codes",
    table(
      ["code", "meaning"],
      Object.entries(EXIT_MEANINGS).map(([name, meaning]) => [
        String(EXIT[name as keyof typeof EXIT]),
        meaning,
      ]),
    ),
    "## Reaching a gateway",
    REMOTE,
    optionTable(remote?.options.filter(isManagement) ?? []),
    ...[...groups].flatMap(([group, commands]) => [
      `## ${group.replace(/:$/, "")}`,
      ...commands.flatMap(flat).filter((one) => one.commands.length === 0).map(commandPart),
    ]),
    "## JSON",
    JSON_TEXT,
    table(["kind", "what"], Object.entries<CliOutputRow>(CLI_OUTPUTS).map(kindRow)),
    "## Environment",
    table(["variable", "what"], VARIABLES.map(({ name, about }) => [code(name), about])),
    KEY_VARIABLES,
    "## Files",
    table(["file", "what"], FILES.map(({ name, about }) => [code(name), about])),
  );
}

export function cliSchemaFile(): string {
  return JSON.stringify(outputSchema(), null, 2) + "\n";
}

function commandPart(command: ShownCommand): string {
  const { path, about, alias, arguments: given, options, isRemote } = command;
  const own = options.filter((option) => !(isRemote && isManagement(option)));
  const rows = [
    ...given.map(({ name, about: meaning, choices }) => [code(`<${name}>`), of(meaning, choices)]),
    ...own.map(({ flags, about: meaning, choices }) => [code(flags), of(meaning, choices)]),
  ];
  return [
    `### ${path}${isRemote ? " †" : ""}`,
    `${about}${alias === undefined ? "" : ` (also \`${alias}\`)`}`,
    code(synopsis(command)),
    ...(rows.length === 0 ? [] : [table(["", ""], rows)]),
  ].join("\n\n");
}

function kindRow([name, { summary, lines, bare }]: [string, CliOutputRow]): string[] {
  const notes = [
    ...(lines === true ? ["one object a line"] : []),
    ...(bare === true ? ["without the member `schema`"] : []),
  ];
  return [code(name), `${summary}${notes.length === 0 ? "" : ` (${notes.join(", ")})`}`];
}

function optionTable(options: readonly ShownOption[]): string {
  return table(
    ["option", "what"],
    options.map(({ flags, about, choices }) => [code(flags), of(about, choices)]),
  );
}

function of(about: string, choices: readonly string[]): string {
  return choices.length === 0 ? about : `${about}: ${choices.map(code).join(", ")}`;
}

function isManagement({ group }: ShownOption): boolean {
  return group === "Management:";
}
