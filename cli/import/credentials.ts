/** Texts of a server: variables translated, literal credentials marked. */
import { isHarmless, looksLikeCredential } from "../../src/config/credentials.ts";
import { credentialsIn, type Span } from "./scan.ts";
import { joined, type Part, plainText, type Text, trailingDollars } from "./text.ts";
import { type Surroundings, translated, type VariableNote, variableRanges } from "./variables.ts";

/** A shorter rest beside a variable is a prefix, such as `sk-`. */
const SHORTEST_REST = 8;
const SCHEME = /^(?:Bearer|Basic|Token)\s+/i;

export interface TextRequest {
  readonly raw: string;
  /** Name of the server. */
  readonly server: string;
  readonly around: Surroundings;
  /** Set when all of the text is a credential: what names it, and whether that is a variable's name. */
  readonly as?: { readonly hint: string; readonly isNamed: boolean };
}

export interface TextResult {
  readonly text: Text;
  readonly notes: readonly VariableNote[];
}

/** Takes a text apart; its credentials and credentials among its defaults become secrets. */
export function textOf({ raw, server, around, as }: TextRequest): TextResult {
  const spans = as === undefined ? credentialsIn(raw) : wholeSpan(raw, as);
  const variables = variableRanges(raw, around);
  const pieces = spans.flatMap((span) => literalPieces(raw, span, variables));
  const notes: VariableNote[] = [];
  const parts: Part[] = [];
  const outside = (text: string) => {
    const one = translated(text, server, around);
    notes.push(...one.notes);
    parts.push(...one.text.map((part) => withoutSecretDefault(part, as !== undefined)));
  };
  let done = 0;
  for (const { start, end, hint, isNamed } of pieces) {
    outside(raw.slice(done, start));
    parts.push({ secret: raw.slice(start, end), hint, isNamed });
    done = end;
  }
  outside(raw.slice(done));
  const text = joined(parts);
  const plain = as === undefined ? undefined : plainText(text);
  if (as === undefined) return { text, notes };
  if (plain === undefined) return { text: withoutClingingDollar(text, as), notes };
  // Folders were filled in, or a rest was too short: still a credential that is written out.
  const left = wholeSpan(plain, as).flatMap(({ start }): Part[] => [
    plain.slice(0, start),
    { secret: plain.slice(start), ...as },
  ]);
  return { text: left.length === 0 ? text : joined(left), notes };
}

/** A dollar sign right before a variable needs a reference too, and one without a default. */
function withoutClingingDollar(text: Text, as: NonNullable<TextRequest["as"]>): Text {
  return joined(text.flatMap((part, index): Part[] => {
    if (typeof part !== "string" || index === text.length - 1) return [part];
    const secret = trailingDollars(part);
    return secret === "" ? [part] : [part.slice(0, -secret.length), { secret, ...as }];
  }));
}

/** Without the scheme of a header, unless there is nothing else. */
function wholeSpan(raw: string, as: NonNullable<TextRequest["as"]>): Span[] {
  const scheme = SCHEME.exec(raw)?.[0].length ?? 0;
  const start = scheme < raw.length ? scheme : 0;
  return isHarmless(raw) ? [] : [{ start, end: raw.length, ...as }];
}

/** The span without the variables in it. */
function literalPieces(
  raw: string,
  span: Span,
  variables: readonly (readonly [number, number])[],
): Span[] {
  const inside = variables.filter(([start, end]) => start < span.end && span.start < end);
  if (inside.length === 0) return [span];
  const pieces: Span[] = [];
  let start = span.start;
  for (const [from, to] of inside) {
    pieces.push({ ...span, start, end: from });
    start = to;
  }
  pieces.push({ ...span, start });
  return pieces.filter(({ start, end }) =>
    end - start >= SHORTEST_REST && !SCHEME.test(`${raw.slice(start, end)} `)
  );
}

/** A default that is a credential is no better than a literal one. */
function withoutSecretDefault(part: Part, isCredential: boolean): Part {
  if (typeof part === "string" || !("variable" in part)) return part;
  const { variable, fallback } = part;
  if (fallback === undefined || fallback === "") return part;
  const isOne = isCredential || credentialsIn(fallback).length > 0 ||
    (looksLikeCredential(variable) && !isHarmless(fallback));
  return isOne ? { secret: fallback, hint: variable, isNamed: true, isDefault: true } : part;
}
