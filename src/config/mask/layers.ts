/** What a text says below its escapes: those of JSON and those of URLs. */

/** A text with one more layer of escapes taken off. */
export interface Layer {
  readonly text: string;
  /** Where in the outermost text a place of this one comes from. */
  readonly originOf: (at: number) => number;
}

/** JSON in JSON in a URL. */
const MAX_LAYERS = 3;
const ESCAPE = /(?:%[0-9a-f]{2})+|\\(?:u[0-9a-f]{4}|x[0-9a-f]{2}|["'\\/bfnrt])/gi;
const NAMED: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** The layers below a text, the outer ones first; none when nothing in it is escaped. */
export function layersOf(text: string): Layer[] {
  const layers: Layer[] = [];
  let layer: Layer = { text, originOf: (at) => at };
  while (layers.length < MAX_LAYERS) {
    const next = below(layer);
    if (next === undefined) break;
    layers.push(next);
    layer = next;
  }
  return layers;
}

function below({ text, originOf }: Layer): Layer | undefined {
  if (!text.includes("%") && !text.includes("\\")) return undefined;
  const pieces = new Pieces();
  for (const { 0: escape, index } of text.matchAll(ESCAPE)) {
    pieces.keep(text, index);
    if (escape.startsWith("%")) percent(escape, pieces);
    else pieces.put(backslash(escape), escape.length);
  }
  if (pieces.isEmpty) return undefined;
  pieces.keep(text, text.length);
  return { text: pieces.text, originOf: (at) => originOf(pieces.originOf(at)) };
}

function backslash(escape: string): string {
  const name = escape[1] as string;
  if (escape.length === 2) return NAMED[name.toLowerCase()] ?? name;
  return String.fromCharCode(Number.parseInt(escape.slice(2), 16));
}

/** Characters of a run of encoded bytes; what is not UTF-8 stays as it is. */
function percent(run: string, pieces: Pieces): void {
  let at = 0;
  while (at < run.length) {
    const length = 3 * bytesOf(Number.parseInt(run.slice(at + 1, at + 3), 16));
    const encoded = run.slice(at, at + length);
    pieces.put(decoded(encoded) ?? encoded, encoded.length);
    at += encoded.length;
  }
}

/** Bytes of the character that begins with this one. */
function bytesOf(lead: number): number {
  if (lead < 0xc0) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

function decoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    // Not UTF-8: it stands for itself.
    return undefined;
  }
}

/** A text put together of what was kept and what stands for escapes, and where each piece came from. */
class Pieces {
  text = "";
  readonly #starts: number[] = [];
  readonly #origins: number[] = [];
  /** Up to here the original is in the text. */
  #taken = 0;

  get isEmpty(): boolean {
    return this.#taken === 0;
  }

  /** The original up to `end`, as it is. */
  keep(original: string, end: number): void {
    this.#add(original.slice(this.#taken, end), end - this.#taken);
  }

  /** `text` for the next `length` characters of the original. */
  put(text: string, length: number): void {
    this.#add(text, length);
  }

  originOf(at: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    return (this.#origins[low] as number) + at - (this.#starts[low] as number);
  }

  #add(text: string, length: number): void {
    this.#starts.push(this.text.length);
    this.#origins.push(this.#taken);
    this.text += text;
    this.#taken += length;
  }
}
