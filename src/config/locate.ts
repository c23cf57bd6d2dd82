/** Turns findings into issues: places in the file, source lines with secrets replaced. */
import { BULLETS } from "./credentials.ts";
import { type Finding, formatPath, type FrameLine, type Issue, type Path } from "./issue.ts";
import type { Override } from "./overrides.ts";
import type { Positions, Span } from "./positions.ts";
import { printable } from "./raw.ts";
import { spanWithin } from "./text_span.ts";

export interface Source {
  readonly file: string;
  readonly text: string;
  /** Values that must not be shown. */
  readonly secrets: readonly Path[];
  readonly overrides: readonly Override[];
}

/** Issues in the order of the file; those from outside the file come first. */
export async function locate(findings: readonly Finding[], source: Source): Promise<Issue[]> {
  // Loaded here and not above: needed only when something is wrong, and 39 kB large.
  const { Positions } = await import("./positions.ts");
  const place = new Locator(new Positions(source.text), source);
  return findings.map((finding) => place.issue(finding))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

type Edge = "start" | "end";

class Locator {
  readonly #positions: Positions;
  readonly #source: Source;
  readonly #lines: readonly string[];
  readonly #masks: readonly Span[];

  constructor(positions: Positions, source: Source) {
    this.#positions = positions;
    this.#source = source;
    this.#lines = source.text.split(/\r?\n/);
    this.#masks = source.secrets.flatMap((path) => positions.exactValue(path) ?? []);
  }

  issue(finding: Finding): Issue {
    const { code, message, hint, path } = finding;
    const common = { code, path: formatPath(path), message, hint };
    const override = this.#source.overrides.find((entry) => isWithin(path, entry.path));
    if (override !== undefined) {
      return { ...common, file: override.source, line: 0, column: 0, endColumn: 0 };
    }
    const span = this.#span(finding);
    const context = this.#positions.context(span.line);
    return {
      ...common,
      file: this.#source.file,
      line: span.line,
      column: span.column + 1,
      endColumn: this.#endColumn(span) + 1,
      ...(context === undefined ? {} : { context: printable(context) }),
      frame: this.#frame(span, finding.also),
    };
  }

  #span(finding: Finding): Span {
    if (finding.at === "key") return this.#positions.key(finding.path);
    if (finding.at === "table") return this.#positions.table(finding.path);
    const span = this.#positions.value(finding.path);
    if (finding.range !== undefined) return spanWithin(this.#lines, span, finding.range);
    const start = finding.part === undefined
      ? -1
      : this.#line(span.line).indexOf(finding.part, span.column);
    if (start < 0 || span.endLine !== span.line) return span;
    return { ...span, column: start, endColumn: start + (finding.part?.length ?? 0) };
  }

  #frame(span: Span, also: Path | undefined): FrameLine[] {
    const marked = this.#marked(span);
    if (also === undefined) return [marked];
    const other = this.#positions.key(also).line;
    if (other === span.line) return [marked];
    return [{ number: other, text: this.#masked(other).text }, marked]
      .sort((a, b) => a.number - b.number);
  }

  #marked(span: Span): FrameLine {
    const { text, shift } = this.#masked(span.line);
    const column = shift(span.column, "start");
    const width = Math.max(1, shift(this.#endColumn(span), "end") - column);
    return { number: span.line, text, mark: { column, width } };
  }

  /** The line with bullets for every secret; `shift` finds a column of the original in it. */
  #masked(number: number): { text: string; shift: (column: number, edge: Edge) => number } {
    const line = this.#line(number);
    const masks = this.#masks.filter((span) => span.line <= number && number <= span.endLine)
      .map((span) => ({
        start: span.line === number ? span.column : 0,
        end: span.endLine === number ? span.endColumn : line.length,
      })).sort((a, b) => a.start - b.start);
    let text = "";
    let done = 0;
    for (const { start, end } of masks) {
      text += line.slice(done, start) + BULLETS;
      done = end;
    }
    const shift = (column: number, edge: Edge): number => {
      const inside = masks.find((mask) => mask.start < column && column < mask.end);
      const place = inside === undefined ? column : inside[edge];
      const before = masks.filter((mask) => mask.end <= place);
      return before.reduce((sum, mask) => sum + BULLETS.length - (mask.end - mask.start), place);
    };
    return { text: printable(text + line.slice(done)), shift };
  }

  #line(number: number): string {
    return this.#lines[number - 1] ?? "";
  }

  /** A place of several lines is marked to the end of its first. */
  #endColumn(span: Span): number {
    return span.endLine === span.line ? span.endColumn : this.#line(span.line).length;
  }
}

function isWithin(path: Path, outer: Path): boolean {
  return outer.every((segment, index) => path[index] === segment);
}
