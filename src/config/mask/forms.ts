/** The spellings of a secret that are no escapes: those are looked through. */
import { layersOf } from "./layers.ts";

/** A text to look for. */
export interface Form {
  readonly text: string;
  /** The character before it holds bits of the secret too (Base64). */
  readonly before: boolean;
  /** The character behind it does, or padding follows (Base64). */
  readonly behind: boolean;
}

/** Lines of a longer secret, such as a key in PEM form, that are secret by themselves. */
const SECRET_LINE = 16;
/** A byte of Base64 stands in one of three places. */
const PLACES = [0, 1, 2] as const;
/** Shorter pieces of Base64 stand in innocent text. */
const SHORTEST_BASE64 = 4;
const BYTE_BITS = 8;
const DIGIT_BITS = 6;

export function formsOf(secret: string): Form[] {
  // A secret may itself look escaped: then it is found where both are taken off at once.
  const plain = new Set([secret, ...linesOf(secret), ...layersOf(secret).map(({ text }) => text)]);
  return [...plain].filter((text) => text !== "").flatMap((text) => {
    const bytes = new TextEncoder().encode(text);
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    // On the web `+` is a space.
    return [...exactly(text, text.replaceAll(" ", "+"), hex, hex.toUpperCase()), ...base64(bytes)];
  });
}

function exactly(...texts: readonly string[]): Form[] {
  return [...new Set(texts)].map((text) => ({ text, before: false, behind: false }));
}

function linesOf(secret: string): string[] {
  if (!secret.includes("\n")) return [];
  return secret.split("\n").map((line) => line.trim())
    .filter((line) => line.length >= SECRET_LINE && !line.startsWith("-----"));
}

/** What is the same whatever stands before and behind the secret. */
function base64(bytes: Uint8Array): Form[] {
  return PLACES.flatMap((place) => {
    const padded = new Uint8Array(place + bytes.length);
    padded.set(bytes, place);
    const all = btoa(Array.from(padded, (byte) => String.fromCharCode(byte)).join(""));
    const end = padded.length * BYTE_BITS;
    const core = all.slice(
      Math.ceil(place * BYTE_BITS / DIGIT_BITS),
      Math.floor(end / DIGIT_BITS),
    );
    if (core.length < SHORTEST_BASE64) return [];
    const ends = { before: place > 0, behind: end % DIGIT_BITS > 0 };
    return exactly(core, core.replaceAll("+", "-").replaceAll("/", "_"))
      .map(({ text }) => ({ text, ...ends }));
  });
}
