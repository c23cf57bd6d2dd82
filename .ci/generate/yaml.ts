/** What a file of YAML consists of; texts are one line. */
export type Yaml = string | number | readonly Yaml[] | { readonly [name: string]: Yaml };

/** Longer texts, and those with quotes, get a block of their own. */
const LONGEST = 80;

/** Writes YAML that people can read. */
export function yaml(value: Yaml): string {
  return `${linesOf(value).join("\n")}\n`;
}

function linesOf(value: Yaml): string[] {
  if (typeof value !== "object") return [scalar(value)];
  if (isList(value)) {
    return value.flatMap((entry) => {
      const [first = "", ...rest] = linesOf(entry);
      return [`- ${first}`, ...rest.map(indented)];
    });
  }
  return Object.entries(value).flatMap(([name, member]) => memberLines(name, member));
}

function memberLines(name: string, member: Yaml): string[] {
  if (typeof member === "object") return [`${name}:`, ...linesOf(member).map(indented)];
  if (typeof member === "string" && needsBlock(member)) return [`${name}: |-`, indented(member)];
  return [`${name}: ${scalar(member)}`];
}

function isList(value: Yaml): value is readonly Yaml[] {
  return Array.isArray(value);
}

function needsBlock(text: string): boolean {
  return text.length > LONGEST || text.includes('"');
}

function scalar(value: string | number): string {
  return JSON.stringify(value);
}

function indented(line: string): string {
  return `  ${line}`;
}
