/** What the configuration has already, compared with what was found. */
import { isTable, type Table, tableAt, textAt, textsIn } from "../../src/config/raw.ts";
import { type Draft, type Named, textsOf } from "./draft.ts";
import { isSecret, isVariable, type Text } from "./text.ts";

/** The configuration an import adds to. */
export interface Existing {
  /** `[backends]` as written. */
  readonly backends: Table;
  /** Values of variables: the environment, and the file of secrets. */
  readonly valueOf: (variable: string) => string | undefined;
}

export interface Match {
  readonly name: string;
  /** False: the same program or URL under the same name, with other settings. */
  readonly isSame: boolean;
}

/** The backend a draft is there as; undefined for a new one. */
export function matchOf(draft: Draft, { backends, valueOf }: Existing): Match | undefined {
  const wanted = JSON.stringify(ofDraft(draft, valueOf));
  for (const [name, table] of Object.entries(backends)) {
    if (isTable(table) && JSON.stringify(ofTable(table, valueOf)) === wanted) {
      return { name, isSame: true };
    }
  }
  const named = backends[draft.name];
  const isThere = isTable(named) && startOf(named) === startOfDraft(draft);
  return isThere ? { name: draft.name, isSame: false } : undefined;
}

type ValueOf = Existing["valueOf"];

function ofDraft({ url, command, args, env, headers, cwd }: Draft, valueOf: ValueOf): unknown {
  const read = (text: Text | undefined) => text === undefined ? null : resolved(text, valueOf);
  const pairs = (named: Named) =>
    sorted(named.map(([name, text]) => [name, resolved(text, valueOf)]));
  return [
    read(url),
    read(command),
    args.map(read),
    pairs(env),
    pairs(headers),
    read(cwd),
  ];
}

function ofTable(table: Table, valueOf: ValueOf): unknown {
  const read = (key: string) => {
    const text = textAt(table, key);
    return text === undefined ? null : withValues(text, valueOf);
  };
  const pairs = (key: string) =>
    sorted(
      Object.entries(tableAt(table, key))
        .map(([name, text]) => [name, withValues(String(text), valueOf)]),
    );
  return [
    read("url"),
    read("command"),
    textsIn(table["args"]).map(([, text]) => withValues(text, valueOf)),
    pairs("env"),
    pairs("headers"),
    read("cwd"),
  ];
}

/** Where a pair stands says nothing. */
function sorted(pairs: readonly (readonly [string, string])[]): unknown {
  return pairs.toSorted(([a], [b]) => a < b ? -1 : 1);
}

/** The text with values in place of variables that have one. */
function resolved(text: Text, valueOf: ValueOf): string {
  return text.map((part) => {
    if (isSecret(part)) return part.secret;
    if (isVariable(part)) {
      return valueOf(part.variable) ?? part.fallback ?? `\${env:${part.variable}}`;
    }
    return part;
  }).join("");
}

function withValues(text: string, valueOf: ValueOf): string {
  return text.replace(
    /\$\$\{|\$\{env:([A-Za-z_]\w*)(?::-([^}]*))?\}/g,
    (whole, variable: string | undefined, fallback: string | undefined) => {
      if (variable === undefined) return whole.slice(1);
      return valueOf(variable) ?? fallback ?? `\${env:${variable}}`;
    },
  );
}

/** The program or URL, without what changes when somebody edits its settings. */
function startOf(table: Table): string {
  const url = textAt(table, "url");
  if (url !== undefined) return url.replace(/[?#].*$/s, "");
  return `${textAt(table, "command")} ${textsIn(table["args"])[0]?.[1] ?? ""}`;
}

function startOfDraft(draft: Draft): string {
  const [url = [], command = [], first = []] = textsOf(draft);
  const plain = (text: Text) => text.map((part) => typeof part === "string" ? part : "").join("");
  if (draft.url !== undefined) return plain(url).replace(/[?#].*$/s, "");
  return `${plain(command)} ${draft.args.length === 0 ? "" : plain(first)}`;
}
