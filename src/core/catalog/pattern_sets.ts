/** Which characters one part of a regular expression (flag `u`) stands for. */

/** Ranges of code points, ends included. */
export type CharSet = readonly (readonly [number, number])[];

interface Read {
  readonly set: CharSet;
  /** Where the expression goes on. */
  readonly end: number;
}

const LAST = 0x10ffff;
export const ALL: CharSet = [[0, LAST]];
const DIGIT: CharSet = [[0x30, 0x39]];
const WORD: CharSet = [[0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
/** A superset of `\s`, and its complement a superset of `\S`: enough to find what cannot overlap. */
const SPACE: CharSet = [[9, 13], [32, 32], [0xa0, 0xa0], [0x1680, 0xfeff]];
const NOT_SPACE: CharSet = [[0, 8], [14, 31], [33, 0x9f], [0xa1, LAST]];
const LINE_ENDS: CharSet = [[10, 10], [13, 13], [0x2028, 0x2029]];
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, v: 11, f: 12, 0: 0 };
const CLASSES: Readonly<Record<string, CharSet>> = {
  d: DIGIT,
  D: without(DIGIT),
  w: WORD,
  W: without(WORD),
  s: SPACE,
  S: NOT_SPACE,
};
const HEX = /x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}/y;
const PROPERTY = /[pP]\{[^}]*\}/y;

export function overlap(a: CharSet, b: CharSet): boolean {
  return a.some(([low, high]) => b.some(([from, to]) => low <= to && from <= high));
}

/** One character outside of a class: `.`, an escape, or itself. */
export function readAtom(text: string, at: number): Read {
  const char = text[at];
  if (char === "\\") return readEscape(text, at + 1);
  if (char === ".") return { set: without(LINE_ENDS), end: at + 1 };
  return readSelf(text, at);
}

/** A class in brackets. */
export function readClass(text: string, start: number): Read {
  let at = start + 1;
  const negated = text[at] === "^";
  if (negated) at++;
  const ranges: (readonly [number, number])[] = [];
  while (text[at] !== "]") {
    const from = readMember(text, at);
    at = from.end;
    if (text[at] === "-" && text[at + 1] !== "]") {
      const to = readMember(text, at + 1);
      at = to.end;
      ranges.push([from.set[0]?.[0] ?? 0, to.set[0]?.[1] ?? LAST]);
    } else ranges.push(...from.set);
  }
  // The complement of a superset would be too small: with one of these it may be anything.
  const vague = /\\[pPsS]/.test(text.slice(start, at));
  return { set: negated ? (vague ? ALL : without(ranges)) : ranges, end: at + 1 };
}

function readMember(text: string, at: number): Read {
  if (text[at] !== "\\") return readSelf(text, at);
  return text[at + 1] === "b" ? { set: [[8, 8]], end: at + 2 } : readEscape(text, at + 1);
}

/** `at` is behind the backslash. */
function readEscape(text: string, at: number): Read {
  const char = text[at] ?? "";
  const known = CLASSES[char];
  if (known !== undefined) return { set: known, end: at + 1 };
  const control = CONTROLS[char];
  if (control !== undefined) return { set: [[control, control]], end: at + 1 };
  PROPERTY.lastIndex = at;
  if (PROPERTY.test(text)) return { set: ALL, end: PROPERTY.lastIndex };
  HEX.lastIndex = at;
  const hex = HEX.exec(text);
  if (hex !== null) {
    const code = Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? "0", 16);
    return { set: [[code, code]], end: HEX.lastIndex };
  }
  // References, word boundaries and control letters are not characters, or not worth knowing.
  if (/[\p{L}\p{N}]/u.test(char) || char === "") throw new SyntaxError("not a known escape");
  return readSelf(text, at);
}

function readSelf(text: string, at: number): Read {
  const code = text.codePointAt(at) ?? 0;
  return { set: [[code, code]], end: at + (code > 0xffff ? 2 : 1) };
}

function without(set: CharSet): CharSet {
  const rest: (readonly [number, number])[] = [];
  let from = 0;
  for (const [low, high] of set.toSorted((a, b) => a[0] - b[0])) {
    if (low > from) rest.push([from, low - 1]);
    from = Math.max(from, high + 1);
  }
  if (from <= LAST) rest.push([from, LAST]);
  return rest;
}
