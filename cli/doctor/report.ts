/** Rows of a diagnosis on their way to people and programs. */
import { masker } from "../../src/config/mask.ts";
import {
  type Check,
  CHECK_SECTIONS,
  type CheckLevel,
  type CheckSection,
  type Diagnosis,
} from "../../src/contract/diagnosis.ts";
import { EXIT } from "../exit.ts";
import { counted, type Output, type Style } from "../output.ts";
import { visible, widthOf } from "../text.ts";

const LEVELS: Readonly<Record<CheckLevel, readonly [string, Style]>> = {
  ok: ["ok", "good"],
  warn: ["warn", "warning"],
  fail: ["FAIL", "error"],
};
const LEVEL_WIDTH = 6;
const SECTION_WIDTH = 14;
const INDENT = " ".repeat(1 + LEVEL_WIDTH + SECTION_WIDTH);
/** Narrower terminals get lines that are too long for them. */
const NARROWEST = 30;
/** Ends up at the right of the summary. */
const EXIT_COLUMN = 60;

/** Sorted by section, with every secret replaced. */
export function diagnosisOf(checks: readonly Check[], secrets: readonly string[]): Diagnosis {
  const sections = Object.keys(CHECK_SECTIONS) as readonly CheckSection[];
  const items = checks.map((check) => masked(check, masker(secrets)))
    .toSorted((one, other) => sections.indexOf(one.section) - sections.indexOf(other.section));
  const count = (level: CheckLevel) => items.filter((item) => item.level === level).length;
  return { items, failures: count("fail"), warnings: count("warn") };
}

function masked(check: Check, mask: (text: string) => string): Check {
  const { name, text, detail, cure } = check;
  return {
    ...check,
    text: mask(text),
    ...(name === undefined ? {} : { name: mask(name) }),
    ...(detail === undefined ? {} : { detail: detail.map(mask) }),
    ...(cure === undefined ? {} : { cure: mask(cure) }),
  };
}

/** Prints it; the exit code of the command. With `--quiet` what is well is left out. */
export function report(diagnosis: Diagnosis, output: Output): number {
  const { items, failures, warnings } = diagnosis;
  const code = failures > 0 ? EXIT.unhealthy : EXIT.done;
  if (output.isJson) {
    output.json("doctor", diagnosis);
    return code;
  }
  for (const item of items) {
    if (!output.isQuiet || item.level !== "ok") printCheck(item, output);
  }
  if (output.isQuiet) return code;
  const found = [
    ...failures === 0 ? [] : [counted(failures, "failure")],
    ...warnings === 0 ? [] : [counted(warnings, "warning")],
  ];
  if (found.length === 0) output.line(output.paint("good", "nothing to mend"));
  else output.line(`${found.join(", ").padEnd(EXIT_COLUMN)}exit ${code}`);
  return code;
}

function printCheck({ level, section, name, text, detail = [], cure }: Check, output: Output) {
  const [word, style] = LEVELS[level];
  const head = ` ${output.paint(style, word)}${" ".repeat(LEVEL_WIDTH - word.length)}` +
    section.padEnd(SECTION_WIDTH);
  const first = name === undefined ? text : `${name}: ${text}`;
  const lines = [
    ...wrapped(visible(first), output.width),
    ...detail.flatMap((line) => wrapped(visible(line), output.width)),
    ...(cure === undefined
      ? []
      : cure.split("\n").flatMap((line) =>
        wrapped(`→ ${visible(line)}`, output.width).map((part) => output.paint("strong", part))
      )),
  ];
  for (const [index, line] of lines.entries()) {
    output.line((index === 0 ? head : INDENT) + line);
  }
}

/** At spaces, into lines that fit beside the indentation; a word that does not stays whole. */
function wrapped(text: string, width: number | undefined): readonly string[] {
  const room = (width ?? Infinity) - INDENT.length;
  if (room < NARROWEST || widthOf(text) <= room) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (widthOf(longer) > room && line !== "") {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}
