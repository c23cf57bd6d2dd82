/**
 * The one filter grammar of lists and streams: words match any text of an item, `field:value` one of its
 * fields. Terms are separated by blanks and all have to match; `-` before a term excludes; `a,b` are
 * alternatives; `*` stands for any characters; quotes make a text literal; `>`, `>=`, `<`, `<=` compare.
 */
import { SentinelError } from "./errors.ts";
import {
  type Condition,
  conditionOf,
  type Field,
  type FieldContext,
  fieldTest,
} from "./filter/field.ts";
import { globOf } from "./filter/glob.ts";
import { type Term, termsOf } from "./filter/terms.ts";
import { suggest } from "./suggest.ts";

const LONGEST = 1000;
const MOST_TERMS = 50;

/** What a filter can ask about one kind of item. */
export interface FilterFields<Item> {
  /** Everything a word is looked for in. */
  readonly texts: (item: Item) => readonly (string | undefined)[];
  readonly fields: Readonly<Record<string, Field<Item>>>;
}

export interface Filter<Item> {
  matches(item: Item): boolean;
  /** What a store can look up of it: all of these hold for every item that matches. */
  readonly conditions: readonly Condition[];
}

/**
 * Parses a filter; an empty one matches everything.
 * @param now milliseconds since 1970: what `since:1h` counts from
 * @throws SentinelError INVALID_PARAMS that says what is wrong, with the nearest word and what is known
 */
export function parseFilter<Item>(
  text: string,
  { texts, fields }: FilterFields<Item>,
  now: number,
): Filter<Item> {
  if (text.length > LONGEST) throw wrong(`the filter is longer than ${LONGEST} characters`);
  const terms = termsOf(text, wrong);
  if (terms.length > MOST_TERMS) throw wrong(`the filter has more than ${MOST_TERMS} terms`);
  const context = { now, wrong };
  const conditions: Condition[] = [];
  const fieldTests = terms.flatMap((term) => {
    if (term.field === undefined) return [];
    const field = knownField(term.field, fields);
    const test = fieldTest(term, field, context);
    const condition = conditionOf(term, field, context);
    if (condition !== undefined) conditions.push(condition);
    return [term.excludes ? (item: Item) => !test(item) : test];
  });
  const wordTests = terms.filter(({ field }) => field === undefined).map(wordTest);
  return {
    conditions,
    matches: (item) => {
      if (!fieldTests.every((test) => test(item))) return false;
      if (wordTests.length === 0) return true;
      const searched = texts(item).map((text) => text?.toLowerCase() ?? "");
      return wordTests.every((test) => test(searched));
    },
  };
}

function knownField<Item>(
  name: string,
  fields: Readonly<Record<string, Field<Item>>>,
): Field<Item> {
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field !== undefined) return field;
  const known = Object.keys(fields);
  const near = suggest(name, known);
  const hint = near === undefined ? "" : ` — did you mean ${JSON.stringify(near)}?`;
  throw wrong(
    `unknown field ${JSON.stringify(name)}${hint}`,
    `fields: ${known.join(", ")}; a text with a colon goes into quotes`,
  );
}

/** Takes the texts of an item in lower case. */
function wordTest({ values, excludes }: Term): (searched: readonly string[]) => boolean {
  const finders = values.map(({ text, quoted }) => {
    const word = text.toLowerCase();
    if (!quoted && word.includes("*")) return globOf(`*${word}*`);
    return (found: string) => found.includes(word);
  });
  return (searched) => searched.some((text) => finders.some((finds) => finds(text))) !== excludes;
}

const wrong: FieldContext["wrong"] = (message, reason) =>
  new SentinelError("INVALID_PARAMS", message, {
    http: 400,
    ...(reason === undefined ? {} : { reason }),
  });
