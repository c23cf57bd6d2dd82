/** What a field of a filter holds, and how a value of the filter is compared with it. */
import { suggest } from "../suggest.ts";
import { parseDuration, parseSize } from "../units.ts";
import { globOf } from "./glob.ts";
import type { Term, Value, Wrong } from "./terms.ts";

interface TextField<Item> {
  readonly kind: "text";
  /** Several texts match when one of them does. */
  readonly of: (item: Item) => string | readonly string[] | undefined;
  /** All there are, in lower case; another word is a mistake. */
  readonly words?: readonly string[];
  /** A word without `*` matches in its very spelling, so that a store can look it up. */
  readonly exact?: true;
}

interface NumberField<Item> {
  /** Durations are milliseconds, sizes are bytes. */
  readonly kind: "number" | "duration" | "size";
  readonly of: (item: Item) => number | undefined;
}

interface MomentField<Item> {
  /** At or after the value, or before it. */
  readonly kind: "since" | "until";
  /** ISO 8601. */
  readonly of: (item: Item) => string | undefined;
}

export type Field<Item> =
  & (TextField<Item> | NumberField<Item> | MomentField<Item>)
  & { readonly about: string };

export interface FieldContext {
  readonly now: number;
  readonly wrong: Wrong;
}

/** A field as the filter names it. */
interface Named extends FieldContext {
  readonly field: string;
}

/**
 * What a term says as a store could look it up: every item that the term lets through holds one of `words` in
 * the field, or is at or after (before) the moment.
 */
export type Condition =
  | { readonly kind: "words"; readonly field: string; readonly words: readonly string[] }
  | { readonly kind: "since" | "until"; readonly field: string; readonly at: number };

type Test<Item> = (item: Item) => boolean;

/** @throws what `wrong` makes, for a value the field cannot have */
export function fieldTest<Item>(
  { field = "", values }: Term,
  row: Field<Item>,
  context: FieldContext,
): Test<Item> {
  const named = { ...context, field };
  switch (row.kind) {
    case "text":
      return textTest(row, values.map((value) => wordOf(value, row, named)));
    case "since":
    case "until":
      return momentTest(row, values.map(({ text }) => momentOf(text, named)));
    case "number":
    case "duration":
    case "size":
      return numberTest(row, values.map(({ text }) => comparisonOf(text, row.kind, named)));
  }
}

/** The condition of a term that `fieldTest` has accepted; undefined for what only a look at each item tells. */
export function conditionOf<Item>(
  { field = "", values, excludes }: Term,
  row: Field<Item>,
  context: FieldContext,
): Condition | undefined {
  if (excludes) return undefined;
  if (row.kind === "since" || row.kind === "until") {
    const moments = values.map(({ text }) => momentOf(text, { ...context, field }));
    return { kind: row.kind, field, at: widest(row.kind, moments) };
  }
  if (row.kind !== "text" || values.some(isGlob)) return undefined;
  if (row.exact === true) return { kind: "words", field, words: values.map(({ text }) => text) };
  if (row.words === undefined) return undefined;
  return { kind: "words", field, words: values.map(({ text }) => text.toLowerCase()) };
}

/** Takes a text as it is, and in lower case. */
type Matcher = (text: string, lower: string) => boolean;

function textTest<Item>({ of }: TextField<Item>, matchers: readonly Matcher[]): Test<Item> {
  const fits = (text: string): boolean => {
    const lower = text.toLowerCase();
    return matchers.some((matches) => matches(text, lower));
  };
  return (item) => {
    const found = of(item);
    if (found === undefined) return false;
    return typeof found === "string" ? fits(found) : found.some(fits);
  };
}

function wordOf<Item>(value: Value, row: TextField<Item>, { field, wrong }: Named): Matcher {
  const { text } = value;
  const wanted = text.toLowerCase();
  if (isGlob(value)) {
    const matches = globOf(wanted);
    return (_found, lower) => matches(lower);
  }
  if (row.exact === true) return (found) => found === text;
  const { words } = row;
  if (words !== undefined && !words.includes(wanted)) {
    const near = suggest(wanted, words);
    const hint = near === undefined ? "" : ` — did you mean ${JSON.stringify(near)}?`;
    const message = `${JSON.stringify(text)} is no value of ${JSON.stringify(field)}${hint}`;
    throw wrong(message, `values: ${words.join(", ")}`);
  }
  return (_found, lower) => lower === wanted;
}

function isGlob({ text, quoted }: Value): boolean {
  return !quoted && text.includes("*");
}

function momentTest<Item>({ kind, of }: MomentField<Item>, limits: readonly number[]): Test<Item> {
  const limit = widest(kind, limits);
  return (item) => {
    const at = Date.parse(of(item) ?? "");
    return kind === "since" ? at >= limit : at < limit;
  };
}

/** Of alternatives the one that lets the most through. */
function widest(kind: MomentField<never>["kind"], limits: readonly number[]): number {
  return kind === "since" ? Math.min(...limits) : Math.max(...limits);
}

const DATE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** A duration counts back from now; a date without an offset is UTC. */
function momentOf(text: string, { field, now, wrong }: Named): number {
  const ago = parseDuration(text);
  if (ago !== undefined) return now - ago;
  const [, time, , , offset] = DATE.exec(text) ?? [undefined];
  const at = Date.parse(time !== undefined && offset === undefined ? `${text}Z` : text);
  if (DATE.test(text) && !Number.isNaN(at)) return at;
  throw wrong(
    `${JSON.stringify(text)} is no time for ${JSON.stringify(field)}`,
    `write  ${field}:1h  or  ${field}:2026-11-20T10:00Z`,
  );
}

type Comparison = (found: number) => boolean;

const COMPARISONS: Readonly<Record<string, (limit: number) => Comparison>> = {
  ">": (limit) => (found) => found > limit,
  ">=": (limit) => (found) => found >= limit,
  "<": (limit) => (found) => found < limit,
  "<=": (limit) => (found) => found <= limit,
  "": (limit) => (found) => found === limit,
};

const EXAMPLES = { number: "5", duration: "500ms", size: "4MiB" } as const;

function numberTest<Item>({ of }: NumberField<Item>, fits: readonly Comparison[]): Test<Item> {
  return (item) => {
    const found = of(item);
    return found !== undefined && fits.some((compare) => compare(found));
  };
}

function comparisonOf(
  text: string,
  kind: NumberField<never>["kind"],
  { field, wrong }: Named,
): Comparison {
  const [, sign = "", written = ""] = /^([<>]=?|)(.*)$/.exec(text) ?? [];
  const limit = /^\d{1,15}(\.\d{1,6})?$/.test(written) ? Number(written) : inUnit(written, kind);
  const compare = COMPARISONS[sign];
  if (limit !== undefined && compare !== undefined) return compare(limit);
  throw wrong(
    `${JSON.stringify(text)} is no ${kind} for ${JSON.stringify(field)}`,
    `write  ${field}:>${EXAMPLES[kind]}  or  ${field}:<${EXAMPLES[kind]}`,
  );
}

function inUnit(text: string, kind: NumberField<never>["kind"]): number | undefined {
  if (kind === "duration") return parseDuration(text);
  return kind === "size" ? parseSize(text) : undefined;
}
