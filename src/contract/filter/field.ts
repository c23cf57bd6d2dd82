/** What a field of a filter holds, and how a value of the filter is compared with it. */
import { suggest } from "../suggest.ts";
import { parseDuration, parseSize } from "../units.ts";
import { globOf } from "./glob.ts";
import type { Term, Value, Wrong } from "./terms.ts";

interface TextField<Item> {
  readonly kind: "text";
  /** Several texts match when one of them does. */
  readonly of: (item: Item) => string | readonly string[] | undefined;
  /** All there are; another word is a mistake. */
  readonly words?: readonly string[];
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

type Matcher = (text: string) => boolean;

function textTest<Item>({ of }: TextField<Item>, matchers: readonly Matcher[]): Test<Item> {
  const fits = (text: string): boolean => {
    const searched = text.toLowerCase();
    return matchers.some((matches) => matches(searched));
  };
  return (item) => {
    const found = of(item);
    if (found === undefined) return false;
    return typeof found === "string" ? fits(found) : found.some(fits);
  };
}

function wordOf<Item>(value: Value, row: TextField<Item>, { field, wrong }: Named): Matcher {
  const { text, quoted } = value;
  const wanted = text.toLowerCase();
  if (!quoted && wanted.includes("*")) return globOf(wanted);
  const { words } = row;
  if (words !== undefined && !words.includes(wanted)) {
    const near = suggest(wanted, words);
    const hint = near === undefined ? "" : ` — did you mean ${JSON.stringify(near)}?`;
    const message = `${JSON.stringify(text)} is no value of ${JSON.stringify(field)}${hint}`;
    throw wrong(message, `values: ${words.join(", ")}`);
  }
  return (found) => found === wanted;
}

function momentTest<Item>({ kind, of }: MomentField<Item>, limits: readonly number[]): Test<Item> {
  // Alternatives: the widest wins.
  const limit = kind === "since" ? Math.min(...limits) : Math.max(...limits);
  return (item) => {
    const at = Date.parse(of(item) ?? "");
    return kind === "since" ? at >= limit : at < limit;
  };
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
