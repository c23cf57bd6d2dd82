/** Small words for schemas of what the gateway answers: each value with its description. */
import * as v from "valibot";

export function text(about: string) {
  return v.pipe(v.string(), v.description(about));
}

/** A number without fraction, never negative. */
export function count(about: string) {
  return v.pipe(v.number(), v.integer(), v.minValue(0), v.description(about));
}

export function amount(about: string) {
  return v.pipe(v.number(), v.description(about));
}

export function flag(about: string) {
  return v.pipe(v.boolean(), v.description(about));
}

/** ISO 8601 with milliseconds, UTC. */
export function moment(about: string) {
  return v.pipe(v.string(), v.isoTimestamp(), v.description(about));
}

export function oneOf<const Words extends readonly string[]>(words: Words, about: string) {
  return v.pipe(v.picklist(words), v.description(about));
}

export function list<const Item extends v.GenericSchema>(item: Item, about: string) {
  return v.pipe(v.array(item), v.readonly(), v.description(about));
}

export function maybe<const Schema extends v.GenericSchema>(schema: Schema) {
  return v.exactOptional(schema);
}

/** The names of a table, for `oneOf`. */
export function namesOf<Name extends string>(table: Readonly<Record<Name, unknown>>): Name[] {
  return Object.keys(table) as Name[];
}
