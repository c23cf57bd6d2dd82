/** The few pieces of Markdown the generated pages consist of. */

/** First line of every generated page. */
const MARK = "<!-- Written by `npm run docs`; change the table it comes from instead. -->";

/** A page: mark, title, what it is, parts. */
export function page(title: string, intro: string, ...parts: readonly string[]): string {
  return [MARK, `# ${title}`, intro, ...parts].join("\n\n") + "\n";
}

export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  const rule = `|${" --- |".repeat(head.length)}`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

export function code(text: string): string {
  return `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
