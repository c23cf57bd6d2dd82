import * as v from "valibot";

/**
 * What a changed value takes: `live` applies with a reload, `reconnect` makes the connections of that
 * backend anew, `restart` waits for the next start.
 */
export type Reload = "live" | "reconnect" | "restart";

/**
 * Whether a value is confidential: `always`, `password` (a URL, when it carries one), or `named` (an entry
 * whose own name looks like a credential).
 */
export type Secrecy = "always" | "password" | "named";

export interface KeyNotes {
  readonly reload: Reload;
  /** A TOML value. */
  readonly example?: string;
  /** Accepted and checked, but without effect in this version; covers everything below the key. */
  readonly later?: true;
  readonly secret?: Secrecy;
}

/** Everything a reader of the configuration table learns about one key. */
export interface KeyMeta extends KeyNotes {
  /** One or two sentences for people. */
  readonly about: string;
}

/** One key of the configuration: its schema, and what people and programs have to know about it. */
export function key<const Schema extends v.GenericSchema>(
  schema: Schema,
  about: string,
  notes: KeyNotes,
) {
  return v.pipe(schema, v.metadata({ about, ...notes } satisfies KeyMeta));
}
