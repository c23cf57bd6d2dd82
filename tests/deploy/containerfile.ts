/** Reads a Containerfile as far as ours goes. */

export interface Instruction {
  /** In capitals. */
  readonly word: string;
  readonly rest: string;
}

export interface Stage {
  readonly name: string | undefined;
  /** Image or stage it begins with. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

export interface CopyStep {
  /** Stage it takes from; undefined: the sources. */
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly target: string;
}

/** The stages, in order; arguments in front of them are filled in. */
export function stagesOf(text: string): readonly Stage[] {
  const stages: { name: string | undefined; base: string; instructions: Instruction[] }[] = [];
  const args = new Map<string, string>();
  for (const { word, rest } of instructionsOf(text)) {
    if (word === "ARG" && stages.length === 0) {
      const [name = "", value = ""] = rest.split("=");
      args.set(name, value);
    } else if (word === "FROM") {
      const [image = "", , name] = rest.split(/\s+/);
      const base = image.replace(/\$\{(\w+)\}/g, (_, arg: string) => args.get(arg) ?? "");
      stages.push({ name, base, instructions: [] });
    } else stages.at(-1)?.instructions.push({ word, rest });
  }
  return stages;
}

function instructionsOf(text: string): readonly Instruction[] {
  const lines = text.split("\n").filter((line) => !line.trimStart().startsWith("#"));
  return lines.join("\n").replaceAll(/\\\n\s*/g, "").split("\n").filter((line) => line !== "")
    .map((line) => {
      const [, word = "", rest = ""] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      if (word === "") throw new Error(`Cannot read line: "${line}"`);
      return { word, rest };
    });
}

/** What a stage and those it begins with say with a word, the last one last. */
export function said(stages: readonly Stage[], stage: Stage, word: string): readonly string[] {
  const base = stages.find(({ name }) => name === stage.base);
  const before = base === undefined ? [] : said(stages, base, word);
  const own = stage.instructions.filter((one) => one.word === word).map(({ rest }) => rest);
  return [...before, ...own];
}

/** The last of them: the one that counts. */
export function last(stages: readonly Stage[], stage: Stage, word: string): string | undefined {
  return said(stages, stage, word).at(-1);
}

export function copyOf(rest: string): CopyStep {
  const words = rest.split(/\s+/);
  const from = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
  const paths = words.filter((word) => !word.startsWith("--"));
  return { from, sources: paths.slice(0, -1), target: paths.at(-1) ?? "" };
}
