/** Tables for people: no borders, headings in capitals, as wide as the terminal. */
import type { Painter, Style } from "./output.ts";
import { fitted, widthOf } from "./text.ts";

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** Numbers are flush right. */
  readonly right?: true;
  /** Only with `-o wide`. */
  readonly wide?: true;
  /** May be cut when the terminal is narrow; the other columns keep what they hold. */
  readonly cut?: true;
  readonly style?: (row: Row) => Style | undefined;
}

export interface TableOptions {
  readonly paint: Painter;
  /** Cells of a line; undefined where nothing limits it, as in a file. */
  readonly width: number | undefined;
  /** Shows every column and cuts nothing. */
  readonly wide: boolean;
}

const GAP = "  ";
/** A column is never cut to less. */
const NARROWEST = 8;

interface Laid<Row> {
  readonly column: Column<Row>;
  readonly cells: readonly string[];
  width: number;
}

/** Lines of the table; only the headings when there are no rows. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { paint, width, wide }: TableOptions,
): string[] {
  const laid = columns.filter((column) => wide || column.wide !== true)
    .map((column) => lay(column, rows));
  if (width !== undefined && !wide) shrink(laid, width);
  const heading = laid.map((each) => pad(each, each.column.title));
  return [
    paint("faint", heading.join(GAP).trimEnd()),
    ...rows.map((row, index) => {
      const cells = laid.map((each) => {
        const cell = pad(each, each.cells[index] ?? "");
        const style = each.column.style?.(row);
        return style === undefined ? cell : paintedCell(cell, style, paint);
      });
      return cells.join(GAP).trimEnd();
    }),
  ];
}

function lay<Row>(column: Column<Row>, rows: readonly Row[]): Laid<Row> {
  const cells = rows.map((row) => column.text(row));
  const width = cells.reduce((most, cell) => Math.max(most, widthOf(cell)), column.title.length);
  return { column, cells, width };
}

/** Takes from the widest columns that may be cut until the line fits. */
function shrink<Row>(laid: readonly Laid<Row>[], width: number): void {
  const gaps = GAP.length * (laid.length - 1);
  const total = () => laid.reduce((sum, each) => sum + each.width, gaps);
  while (total() > width) {
    const flexible = laid.filter(({ column, width }) => column.cut && width > NARROWEST);
    const widest = flexible.toSorted((one, other) => other.width - one.width)[0];
    if (widest === undefined) return;
    widest.width -= 1;
  }
}

function pad<Row>({ column, width }: Laid<Row>, cell: string): string {
  const text = fitted(cell, width);
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return column.right ? space + text : text + space;
}

/** Paints the text, not the space around it. */
function paintedCell(cell: string, style: Style, paint: Painter): string {
  const text = cell.trim();
  return text === "" ? cell : cell.replace(text, () => paint(style, text));
}
