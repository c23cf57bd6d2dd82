import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { Painter } from "../../cli/output.ts";
import { type Column, table } from "../../cli/table.ts";
import { widthOf } from "../../cli/text.ts";

interface Row {
  readonly name: string;
  readonly count: number;
  readonly note: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "NAME", text: ({ name }) => name, cut: true },
  { title: "COUNT", text: ({ count }) => String(count), right: true, style: () => "good" },
  { title: "EXTRA", text: () => "x", wide: true },
  { title: "NOTE", text: ({ note }) => note, cut: true },
];
const ROWS: readonly Row[] = [
  { name: "github", count: 1200, note: "a note that goes on for quite a while, longer than that" },
  { name: "名前", count: 7, note: "" },
];
const plain: Painter = (_style, text) => text;

describe("table", () => {
  it("has headings, columns under each other, and numbers flush right", () => {
    assert.deepEqual(table(COLUMNS, ROWS, { paint: plain, width: undefined, wide: false }), [
      "NAME    COUNT  NOTE",
      "github   1200  a note that goes on for quite a while, longer than that",
      "名前        7",
    ]);
  });

  it("fits the terminal by cutting what may be cut", () => {
    assert.deepEqual(table(COLUMNS, ROWS, { paint: plain, width: 30, wide: false }), [
      "NAME    COUNT  NOTE",
      "github   1200  a note that go…",
      "名前        7",
    ]);
    for (let width = 24; width < 90; width++) {
      const lines = table(COLUMNS, ROWS, { paint: plain, width, wide: false });
      for (const line of lines) assert.ok(widthOf(line) <= width, `${width}: ${line}`);
    }
  });

  it("shows all when it may be wide", () => {
    const [heading = "", first = ""] = table(COLUMNS, ROWS, {
      paint: plain,
      width: 20,
      wide: true,
    });
    assert.match(heading, /EXTRA/);
    assert.match(first, /longer than that$/);
  });

  it("paints without moving anything", () => {
    const paint: Painter = (_style, text) => `\u001b[32m${text}\u001b[39m`;
    const options = { width: 40, wide: false };
    const painted = table(COLUMNS, ROWS, { ...options, paint });
    assert.ok(painted[1]?.includes("\u001b[32m1200\u001b[39m"));
    assert.deepEqual(
      painted.map((line) => stripVTControlCharacters(line)),
      table(COLUMNS, ROWS, { ...options, paint: plain }),
    );
  });
});
