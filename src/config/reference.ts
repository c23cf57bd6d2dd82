import { explainAll, type KeyExplanation } from "./explain.ts";

const HEAD = `# Configuration reference

Generated from the configuration table; do not edit. \`mcp-sentinel config explain <key>\` prints the same
for one key.

A changed value takes effect: *live* with a reload, *reconnect* with a reload that makes the connections of
that backend anew, *restart* with the next start. Keys marked † are accepted and checked, but have no effect
in this version. Values marked ‡ are secrets: write them as \`\${env:NAME}\` or \`\${file:PATH}\`.
`;

/** The reference page of every key, as Markdown. */
export function configReference(): string {
  const keys = explainAll();
  const sections = keys.filter((key) => !key.key.includes("."));
  const [version, ...rest] = sections;
  const tables = rest.map((section) =>
    sectionOf(section, keys.filter((key) => key.key.startsWith(`${section.key}.`)))
  );
  return [HEAD, ...(version === undefined ? [] : [tableOf([version], "")]), ...tables].join("\n");
}

function sectionOf(section: KeyExplanation, keys: readonly KeyExplanation[]): string {
  const title = section.type === "named tables"
    ? `[${section.key}.<name>]`
    : section.type === "list of tables"
    ? `[[${section.key}]]`
    : `[${section.key}]`;
  const prefix = new RegExp(`^${section.key}\\.(\\*\\.)?`);
  const later = section.effect ? "" : " No effect in this version.";
  return `## ${title}\n\n${section.about}${later}\n\n${tableOf(keys, prefix)}`;
}

function tableOf(keys: readonly KeyExplanation[], prefix: RegExp | string): string {
  const rows = keys.map((key) => {
    const marks = `${key.effect ? "" : " †"}${key.secret ? " ‡" : ""}`;
    const fallback = key.required ? "required" : code(key.default);
    const cells = [
      code(key.key.replace(prefix, "")) + marks,
      cell(key.type),
      fallback,
      key.reload,
      `${cell(key.about)}${key.example === undefined ? "" : ` Example: ${code(key.example)}`}`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return ["| key | type | default | reload | what |", "|---|---|---|---|---|", ...rows, ""].join(
    "\n",
  );
}

function code(text: string | undefined): string {
  return text === undefined ? "" : `\`${text.replaceAll("|", "\\|")}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
