/** What a page asks its reader to type, and the files it shows, in the order of the page. */

export interface PageCommand {
  readonly kind: "command";
  /** As written, for messages. */
  readonly line: string;
  readonly words: readonly string[];
  /** What the page shows below it. */
  readonly output: readonly string[];
}

export interface PageFile {
  readonly kind: "config";
  readonly text: string;
}

const BLOCK = /^```([a-z]*)\n([^]*?)^```$/gm;

/** Commands of `console` blocks (behind `$ `) and of blocks without a language that begin with a known program. */
export function stepsIn(
  page: string,
  isProgram: (word: string) => boolean,
): (PageCommand | PageFile)[] {
  return [...page.matchAll(BLOCK)].flatMap((block): (PageCommand | PageFile)[] => {
    const [, language = "", text = ""] = block;
    if (language === "toml" && text.startsWith("version = 1\n")) return [{ kind: "config", text }];
    if (language === "console") return promptsIn(text);
    const [first = ""] = wordsIn(text.split("\n")[0] ?? "")[0] ?? [];
    const isCommands = language === "" && (isProgram(first) || text.startsWith("$ "));
    if (!isCommands) return [];
    return text.startsWith("$ ") ? promptsIn(text) : linesIn(text);
  });
}

function promptsIn(text: string): PageCommand[] {
  return text.split(/^\$ /m).slice(1).flatMap((part) => {
    const [line = "", ...output] = part.trimEnd().split("\n");
    return commandsOf(line, output.filter((row) => row.trim() !== ""));
  });
}

function linesIn(text: string): PageCommand[] {
  const lines = text.replaceAll("\\\n", " ").split("\n").filter((line) => line.trim() !== "");
  return lines.flatMap((line) => commandsOf(line, []));
}

function commandsOf(line: string, output: readonly string[]): PageCommand[] {
  const all = wordsIn(line);
  return all.map((words, index) => ({
    kind: "command",
    line,
    words,
    output: index === all.length - 1 ? output : [],
  }));
}

/** The words of a line of a shell, for each command that `&&` joins; a comment ends it. */
export function wordsIn(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const [, single, double, plain = ""] of line.matchAll(/'([^']*)'|"([^"]*)"|([^\s'"]+)/g)) {
    if (plain.startsWith("#")) break;
    if (plain === "&&") commands.push([]);
    else commands.at(-1)?.push(single ?? double ?? plain);
  }
  return commands.filter((words) => words.length > 0);
}
