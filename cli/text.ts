/** Text of a network or a file on its way to a terminal: made harmless, measured, cut. */

/**
 * What a terminal would obey or reorder instead of showing: control characters (ESC and the 8-bit CSI
 * among them), line and paragraph separators, and marks of direction.
 */
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The text with everything a terminal might obey spelled out: `\n`, `\x1b`, `\u202e`. */
export function visible(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0).toString(16);
    const long = code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
    return SHORT_ESCAPES[character] ?? long;
  });
}

/** A copy of what a server answered in which every text, names of members too, is `visible`. */
export function visibleCopy<Value>(value: Value): Value {
  return copy(value) as Value;
}

function copy(value: unknown): unknown {
  if (typeof value === "string") return visible(value);
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [visible(name), copy(member)]),
  );
}

/** JSON that is the same value and that a terminal shows as it is. */
export function visibleJson(value: unknown, indent?: number): string {
  const escape = (character: string) =>
    `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  // Line ends of the indentation stand; within texts JSON has escaped them already.
  return JSON.stringify(value, null, indent).replace(
    UNSAFE,
    (character) => character === "\n" ? character : escape(character),
  );
}

/** Made when it is first needed: that takes longer than all of the help. */
let segmenter: Intl.Segmenter | undefined;
const PLAIN = /^[\x20-\x7e]*$/;
/** Two cells wide in terminals: East Asian wide and full-width forms, and emoji. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}|\ufe0f/u;
const EMPTY = /^[\p{Mn}\p{Me}\u200b-\u200d\ufeff]+$/u;

/** Cells a text takes in a terminal. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmentsOf(text)) width += segmentWidth(segment);
  return width;
}

/** The text in at most so many cells; what is cut ends with `…`. */
export function fitted(text: string, cells: number): string {
  if (widthOf(text) <= cells) return text;
  let kept = "";
  let width = 0;
  for (const { segment } of segmentsOf(text)) {
    width += segmentWidth(segment);
    if (width > cells - 1) break;
    kept += segment;
  }
  return cells < 1 ? "" : `${kept.trimEnd()}…`;
}

function segmentsOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}

function segmentWidth(segment: string): number {
  if (EMPTY.test(segment)) return 0;
  return WIDE.test(segment) ? 2 : 1;
}

const UNITS = [["d", 86_400], ["h", 3_600], ["m", 60], ["s", 1]] as const;

/** Seconds in their largest unit: `3m`, `2d`; never negative. */
export function briefDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [unit, size] = UNITS.find(([, length]) => whole >= length) ?? ["s", 1];
  return `${Math.floor(whole / size)}${unit}`;
}

/** Seconds in two units: `3d 4h`, `5m 2s`. */
export function longDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const first = UNITS.findIndex(([, length]) => whole >= length);
  const [unit, size] = UNITS[first] ?? ["s", 1];
  const rest = UNITS[first + 1];
  const more = rest === undefined ? 0 : Math.floor((whole % size) / rest[1]);
  const head = `${Math.floor(whole / size)}${unit}`;
  return rest === undefined || more === 0 ? head : `${head} ${more}${rest[0]}`;
}

/** Milliseconds to read at a glance: `84ms`, `1.9s`. */
export function milliseconds(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)}s` : briefDuration(ms / 1000);
}
