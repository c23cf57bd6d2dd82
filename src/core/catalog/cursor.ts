/** Opaque cursors of our lists: the last key shown, with the kind and the catalog's revision. */
import { hashText } from "./hash.ts";
import type { ItemKind } from "./types.ts";

/** A key is at most a definition long; in base64url. */
const MAX_LENGTH = 200_000;

export interface Position {
  readonly kind: ItemKind;
  /** Name or URI of the last item shown. */
  readonly key: string;
  readonly revision: number;
}

export function encodeCursor({ kind, key, revision }: Position): string {
  const text = JSON.stringify([kind, key, revision]);
  return toBase64Url(JSON.stringify([kind, key, revision, hashText(text)]));
}

/** Undefined for anything `encodeCursor` did not write; the empty text included. */
export function decodeCursor(cursor: string): Position | undefined {
  if (cursor === "" || cursor.length > MAX_LENGTH) return undefined;
  const parsed = parse(cursor);
  if (!Array.isArray(parsed)) return undefined;
  const [kind, key, revision] = parsed;
  if (typeof kind !== "string" || typeof key !== "string" || typeof revision !== "number") {
    return undefined;
  }
  const position = { kind: kind as ItemKind, key, revision };
  return encodeCursor(position) === cursor ? position : undefined;
}

function parse(cursor: string): unknown {
  try {
    const binary = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined; // Whatever is wrong with it, it is not ours: the caller gets one answer.
  }
}

function toBase64Url(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
