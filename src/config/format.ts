/** Issues as text for people, as annotations for CI, as plain objects for programs. */
import type { FrameLine, Issue } from "./issue.ts";

/** Longer lists hide the first problem, which is usually the cause. */
const MOST_SHOWN = 20;
/** Longer source lines are cut around the place. */
const WIDEST_LINE = 120;

/** Puts color around a piece of text; the default leaves it plain. */
export type Paint = (style: "error" | "place" | "mark", text: string) => string;

const plain: Paint = (_style, text) => text;

/** Blocks for a terminal, at most 20, the rest as a count. References without a value share one block. */
export function formatIssues(issues: readonly Issue[], paint: Paint = plain): string {
  const unresolved = issues.filter((issue) => issue.code === "unresolved");
  const blocks: string[] = [];
  for (const issue of issues.slice(0, MOST_SHOWN)) {
    if (issue.code !== "unresolved") blocks.push(block(issue, paint));
    else if (issue === unresolved[0]) blocks.push(unresolvedBlock(unresolved, paint));
  }
  const hidden = issues.slice(MOST_SHOWN).filter((issue) => issue.code !== "unresolved").length;
  if (hidden > 0) blocks.push(`and ${hidden} more`);
  return blocks.join("\n\n");
}

/** Workflow commands of GitHub Actions, one line for each issue. */
export function formatGithub(issues: readonly Issue[]): string {
  return issues.map((issue) => {
    const place = issue.line === 0
      ? ""
      : `,line=${issue.line},col=${issue.column},endColumn=${issue.endColumn}`;
    const text = issue.hint === "" ? issue.message : `${issue.message}\n${issue.hint}`;
    return `::error file=${property(issue.file)}${place},title=${issue.code}::${data(text)}`;
  }).join("\n");
}

/** The members of an issue that programs may rely on. */
export function plainIssue(issue: Issue): Omit<Issue, "context" | "frame"> {
  const { code, file, line, column, endColumn, path, message, hint } = issue;
  return { code, file, line, column, endColumn, path, message, hint };
}

function block(issue: Issue, paint: Paint): string {
  const title = `${paint("error", "error:")} ${issue.message}`;
  const context = issue.context === undefined ? "" : `  in ${issue.context}`;
  const place = `  ${paint("place", "-->")} ${placeOf(issue)}${context}`;
  // A refusal for safety is not about the spelling: the line would say nothing.
  if (issue.frame === undefined || issue.code === "unsafe") {
    return [title, place, ...helpOf(issue.hint)].join("\n");
  }
  return [title, place, ...frame(issue.frame, issue.hint, paint)].join("\n");
}

function unresolvedBlock(issues: readonly Issue[], paint: Paint): string {
  const references = issues.length === 1 ? "1 reference" : `${issues.length} references`;
  const places = issues.map(placeOf);
  const wide = Math.max(...places.map((place) => place.length));
  const reasons = Math.max(...issues.map((issue) => issue.message.length));
  return [
    `${paint("error", "error:")} ${references} could not be resolved`,
    ...issues.map((issue, index) =>
      `  ${paint("place", "-->")} ${places[index]?.padEnd(wide)}  ` +
      `${issue.message.padEnd(reasons)}  (${issue.path})`
    ),
    ...helpOf("mcp-sentinel validate --env-file .env"),
  ].join("\n");
}

function placeOf(issue: Issue): string {
  return issue.line === 0 ? issue.file : `${issue.file}:${issue.line}:${issue.column}`;
}

function helpOf(hint: string): string[] {
  return hint === "" ? [] : [`  help: ${hint}`];
}

function frame(lines: readonly FrameLine[], hint: string, paint: Paint): string[] {
  const gutter = Math.max(...lines.map(({ number }) => String(number).length));
  const empty = `${" ".repeat(gutter)} |`;
  const shown = lines.flatMap((line) => {
    const { text, column, width } = cut(line);
    const source = `${String(line.number).padStart(gutter)} | ${text}`.trimEnd();
    if (line.mark === undefined) return [source];
    const carets = paint("mark", "^".repeat(width));
    return [source, `${empty} ${" ".repeat(column)}${carets} ${hint}`.trimEnd()];
  });
  return [empty, ...shown];
}

/** The part of a long line around its mark. */
function cut(line: FrameLine): { text: string; column: number; width: number } {
  const { column, width } = line.mark ?? { column: 0, width: 0 };
  if (line.text.length <= WIDEST_LINE) return { text: line.text, column, width };
  const start = Math.max(0, column - 40);
  const before = start > 0 ? "…" : "";
  const end = start + WIDEST_LINE;
  const after = end < line.text.length ? "…" : "";
  const text = before + line.text.slice(start, end) + after;
  const at = column - start + before.length;
  return { text, column: at, width: Math.max(1, Math.min(width, text.length - at)) };
}

function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
