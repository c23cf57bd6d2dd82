/** Small words for tables of fields. */
import type { Field } from "./field.ts";

type Texts = string | readonly string[] | undefined;

export function text<Item>(of: (item: Item) => Texts, about: string): Field<Item> {
  return { kind: "text", of, about };
}

/** A text that a store can look up: without `*` it matches in its very spelling. */
export function exact<Item>(of: (item: Item) => Texts, about: string): Field<Item> {
  return { kind: "text", of, exact: true, about };
}

/** A text out of a few. */
export function word<Item>(
  words: readonly string[],
  of: (item: Item) => Texts,
  about: string,
): Field<Item> {
  return { kind: "text", of, words, about };
}

export function yesNo<Item>(of: (item: Item) => boolean, about: string): Field<Item> {
  return word(["yes", "no"], (item) => of(item) ? "yes" : "no", about);
}

export function number<Item>(of: (item: Item) => number | undefined, about: string): Field<Item> {
  return { kind: "number", of, about };
}

/** @param of milliseconds */
export function duration<Item>(of: (item: Item) => number | undefined, about: string): Field<Item> {
  return { kind: "duration", of, about };
}

/** @param of bytes */
export function size<Item>(of: (item: Item) => number | undefined, about: string): Field<Item> {
  return { kind: "size", of, about };
}

/**
 * The fields `since` and `until`.
 * @param of ISO 8601
 * @param about completes "… at that time or later"
 */
export function moments<Item>(
  of: (item: Item) => string,
  about: string,
): { readonly since: Field<Item>; readonly until: Field<Item> } {
  return {
    since: { kind: "since", of, about: `${about} at that time or later.` },
    until: { kind: "until", of, about: `${about} before that time.` },
  };
}
