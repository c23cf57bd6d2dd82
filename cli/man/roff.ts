/** The manual page `mcp-sentinel(1)`, made from the tree of commands, in the macros of man(7). */
import { EXIT } from "../exit.ts";
import { EXAMPLES, EXIT_MEANINGS, FILES, KEY_VARIABLES, VARIABLES } from "./facts.ts";
import { flat, type ShownCommand, type ShownOption, synopsis } from "./tree.ts";

interface Page {
  readonly root: ShownCommand;
  readonly version: string;
  /** Path of the command the page is about; all without it. */
  readonly only?: ShownCommand | undefined;
}

/** The page about all commands, or about one and those below it. */
export function manualPage({ root, version, only }: Page): string {
  const about = only?.about ?? root.about;
  const name = only === undefined
    ? "mcp-sentinel"
    : `mcp-sentinel-${only.path.replaceAll(" ", "-")}`;
  const commands = (only === undefined ? root.commands : [only]).flatMap(flat);
  const lines = [
    `.\\" Written from the tree of commands; change that instead.`,
    `.TH ${quoted(name.toUpperCase())} 1 "" ${quoted(`mcp-sentinel ${version}`)} "User Commands"`,
    ".nh",
    ".SH NAME",
    `${text(name)} \\- ${text(about)}`,
    ".SH SYNOPSIS",
    ...synopses(only === undefined ? [] : commands),
    ...only === undefined ? [".SH DESCRIPTION", ...paragraph(DESCRIPTION)] : [],
    ".SH COMMANDS",
    ...commandLines(commands, only === undefined),
    ".SH OPTIONS",
    text("Every command takes these:"),
    ...optionLines(root.options),
    ...paragraph(
      "Commands that talk to a gateway take these, too; without them they talk to that of " +
        "`profile use`, or to the only one of this user that runs on this machine:",
    ),
    ...optionLines(managementOptions(root)),
    ".SH EXIT STATUS",
    ...Object.entries(EXIT_MEANINGS).flatMap(([key, meaning]) =>
      item(String(EXIT[key as keyof typeof EXIT]), meaning)
    ),
    ".SH ENVIRONMENT",
    ...VARIABLES.flatMap((entry) => item(entry.name, entry.about)),
    ...paragraph(KEY_VARIABLES),
    ".SH FILES",
    ...FILES.flatMap((entry) => item(entry.name, entry.about)),
    ".SH EXAMPLES",
    ...EXAMPLES.flatMap((entry) => item(entry.name, entry.about)),
    ".SH SEE ALSO",
    text("mcp-sentinel --help, mcp-sentinel config explain, mcp-sentinel schema"),
  ];
  return `${lines.join("\n")}\n`;
}

const DESCRIPTION =
  "One gateway between MCP clients and MCP servers. Results go to stdout, progress, warnings and hints to " +
  "stderr. With --json a command prints one JSON object, or one object a line where it follows something; " +
  "`mcp-sentinel schema` prints what these objects look like. Commands that change something say what " +
  "changed and how to undo it.";

function synopses(commands: readonly ShownCommand[]): string[] {
  const all = commands.filter((command) => command.commands.length === 0);
  if (all.length === 0) return [`.B ${text("mcp-sentinel")}`, text("[options] <command>")];
  return all.flatMap((command, index) => [
    ...(index === 0 ? [] : [".br"]),
    `.B ${text(`mcp-sentinel ${command.path}`)}`,
    text(command.usage),
  ]);
}

/** Commands that only hold others are told by those. */
function commandLines(commands: readonly ShownCommand[], isGrouped: boolean): string[] {
  let group = "";
  return commands.flatMap((command) => {
    const isNew = isGrouped && command.group !== group;
    group = command.group;
    const heading = isNew ? [`.SS ${quoted(group.replace(/:$/, ""))}`] : [];
    return command.commands.length > 0 ? heading : [...heading, ...oneCommand(command)];
  });
}

function oneCommand(command: ShownCommand): string[] {
  const { about, alias, isRemote } = command;
  const remote = isRemote ? " Talks to a gateway: see OPTIONS." : "";
  const also = alias === undefined ? "" : ` Also: ${alias}.`;
  return [
    ".TP",
    `.B ${text(synopsis(command))}`,
    text(`${sentence(about)}${also}${remote}`),
    ".RS",
    ...command.arguments.flatMap(({ name, about: meaning, choices }) =>
      item(`<${name}>`, withChoices(meaning, choices))
    ),
    ...optionLines(command.options.filter((option) => !isRemote || !isManagement(option))),
    ".RE",
  ];
}

/** The same for all of them. */
function managementOptions(root: ShownCommand): readonly ShownOption[] {
  const remote = flat(root).find(({ isRemote, options }) => isRemote && options.some(isManagement));
  return remote?.options.filter(isManagement) ?? [];
}

function isManagement({ group }: ShownOption): boolean {
  return group === "Management:";
}

function optionLines(options: readonly ShownOption[]): string[] {
  return options.flatMap(({ flags, about, choices }) => item(flags, withChoices(about, choices)));
}

function withChoices(about: string, choices: readonly string[]): string {
  return choices.length === 0 ? about : `${about}: ${choices.join(", ")}`;
}

function item(term: string, about: string): string[] {
  return [".TP", `.B ${text(term)}`, ...paragraph(about)];
}

function paragraph(about: string): string[] {
  return [text(sentence(about))];
}

/** Descriptions of commands and options have no full stop of their own. */
function sentence(about: string): string {
  const whole = about.charAt(0).toUpperCase() + about.slice(1);
  return /[.?!…]$/.test(whole) || whole === "" ? whole : `${whole}.`;
}

/** As troff reads it back: no character begins a request or an escape, hyphens are those of options. */
function text(plain: string): string {
  const escaped = plain.replaceAll(/\s+/g, " ").replaceAll("\\", "\\e").replaceAll("-", "\\-")
    .replaceAll("`", "").replaceAll("…", "...").replaceAll("→", "\\(->").replaceAll("–", "\\(en");
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped === "" ? "\\&" : escaped;
}

/** One argument of a macro. */
function quoted(plain: string): string {
  return `"${text(plain).replaceAll('"', "\\(dq")}"`;
}
