/** Literal credentials in a text: by the name beside them, or by how they look. */
import { isHarmless, looksLikeCredential, passwordOf } from "../../src/config/credentials.ts";

/** A piece of a text that must not be written down. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** The name beside it, or what kind of thing it is: `api-key`, `TOKEN`, `URL`. */
  readonly hint: string;
  /** The hint is a name of a variable of the environment. */
  readonly isNamed: boolean;
}

/** Words of names that are credentials in URLs only. */
const URL_WORDS = /^(key|sig|signature|code)$/i;
/** Names of variables of the environment, as they are usually written. */
const SHOUTED = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/;
/** Flags that switch something, so what follows is no value of theirs. */
const SWITCH = /^(no|skip|disable|enable|without|allow|use|with|ignore|require)-/i;

/** Credentials of well-known makers, and JSON web tokens. */
const KNOWN = [
  String.raw`(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}`,
  String.raw`gh[pousr]_[A-Za-z0-9]{16,}`,
  String.raw`github_pat_\w{16,}`,
  String.raw`gl(?:pat|ptt|dt)-[\w-]{16,}`,
  String.raw`xox[a-z]-[A-Za-z0-9-]{10,}`,
  String.raw`xapp-[A-Za-z0-9-]{10,}`,
  String.raw`(?:AKIA|ASIA)[0-9A-Z]{16}`,
  String.raw`AIza[\w-]{30,}`,
  String.raw`(?:npm|hf|dop_v1|shpat|figd|ntn|lin_api|tvly|fc|ctx7sk)[-_][A-Za-z0-9_-]{16,}`,
  String.raw`eyJ[\w-]{8,4096}\.[\w-]{8,8192}\.[\w-]*`,
].join("|");

const ONE_URL = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s"']+$/;
const VALUE = String.raw`"[^"]*"|'[^']*'|[^\s;&|"']+`;
const SCHEME = String.raw`(?:(?:Bearer|Basic|Token)\s+)?`;

interface Rule {
  readonly pattern: RegExp;
  /** The hint for a match; undefined when it is no credential. */
  readonly hintOf: (groups: Readonly<Record<string, string | undefined>>) => string | undefined;
}

/**
 * Names are bounded, and what stands before them is: a text nobody has written by hand must not take minutes.
 * Each pattern has a group `secret`, and a group `name` where a name stands beside it.
 */
const RULES: readonly Rule[] = [
  { pattern: rule(String.raw`(?<![A-Za-z0-9_-])(?<secret>${KNOWN})`), hintOf: () => "TOKEN" },
  {
    pattern: rule(String.raw`:\/\/[^\/?#\s"'@]{0,256}?:(?<secret>[^\/?#\s"']{1,1024})@`),
    hintOf: () => "PASSWORD",
  },
  {
    pattern: rule(String.raw`[?&](?<name>[^=?&#\s"']{1,128})=(?<secret>[^&#\s"']+)`),
    hintOf: ({ name = "", secret = "" }) => {
      const plain = decoded(name);
      const isCredential = looksLikeCredential(plain) || URL_WORDS.test(plain);
      return isCredential || looksRandom(secret) ? plain : undefined;
    },
  },
  {
    pattern: rule(
      String.raw`:\/\/[^\s"'?#]{0,512}?\/(?<secret>[\w~.=+-]{20,1024})(?=[\/?#\s"']|$)`,
    ),
    hintOf: ({ secret = "" }) => looksRandom(secret) ? "URL_KEY" : undefined,
  },
  {
    pattern: rule(String.raw`(?<![\w?&-])-{0,2}(?<name>[A-Za-z][\w.-]{0,63})=(?<secret>${VALUE})`),
    hintOf: ({ name = "" }) => looksLikeCredential(name) ? name : undefined,
  },
  {
    pattern: rule(String.raw`(?<![\w-])--?(?<name>[A-Za-z][\w-]{0,63})\s+(?!-)(?<secret>${VALUE})`),
    hintOf: ({ name = "" }) => isCredentialFlag(name) ? name : undefined,
  },
  {
    pattern: rule(
      String.raw`(?<![\w/.-])(?<name>[A-Za-z][\w-]{0,63}):(?!\/\/)\s*${SCHEME}(?<secret>[^\s"']+)`,
    ),
    hintOf: ({ name = "" }) => looksLikeCredential(name) ? name : undefined,
  },
  {
    pattern: rule(String.raw`(?<![\w-])(?:Bearer|Basic)\s+(?<secret>[^\s"']{8,})`),
    hintOf: () => "TOKEN",
  },
  {
    pattern: rule(
      String.raw`\\?"(?<name>[^"\\]{1,128})\\?"\s*:\s*\\?"(?<secret>(?:[^"\\]|\\[^"])+)\\?"`,
    ),
    hintOf: ({ name = "" }) => looksLikeCredential(name) ? name : undefined,
  },
];

function rule(source: string): RegExp {
  return new RegExp(source, "dgi");
}

/** The literal credentials of a text, in order, without overlaps. */
export function credentialsIn(text: string): readonly Span[] {
  if (ONE_URL.test(text) && passwordOf(text) !== undefined && !text.includes("${")) {
    return [{ start: 0, end: text.length, hint: "URL", isNamed: false }];
  }
  const spans = RULES.flatMap(({ pattern, hintOf }) => spansOf(text, pattern, hintOf));
  if (looksRandom(text)) spans.push({ start: 0, end: text.length, hint: "TOKEN", isNamed: false });
  return merged(spans);
}

/** True when all of a text is one credential. */
export function isOneCredential(text: string): boolean {
  const [span, ...more] = credentialsIn(text);
  return span !== undefined && more.length === 0 && span.start === 0 && span.end === text.length;
}

/** True when the value of this flag is a credential: `--api-key`, `--password`. */
export function isCredentialFlag(flag: string): boolean {
  const name = flag.replace(/^-+/, "");
  return !SWITCH.test(name) && looksLikeCredential(name);
}

/** True for long texts of mixed letters and digits that nobody would think of. */
function looksRandom(text: string): boolean {
  if (!/^[\w~.=+-]{20,}$/.test(text)) return false;
  if (/^[0-9a-f]{32,}$/i.test(text)) return true;
  const digits = text.match(/\d/g)?.length ?? 0;
  const turns = text.match(/[A-Za-z](?=\d)|\d(?=[A-Za-z])/g)?.length ?? 0;
  return digits >= 3 && turns >= 4;
}

function spansOf(text: string, pattern: RegExp, hintOf: Rule["hintOf"]): Span[] {
  return [...text.matchAll(pattern)].flatMap((match): Span[] => {
    const groups = match.groups ?? {};
    const place = match.indices?.groups?.["secret"];
    const hint = hintOf(groups);
    if (place === undefined || hint === undefined) return [];
    const [start, end] = unquoted(text, place);
    if (isHarmless(text.slice(start, end))) return [];
    return [{ start, end, hint, isNamed: groups["name"] !== undefined && SHOUTED.test(hint) }];
  });
}

function unquoted(text: string, [start, end]: readonly [number, number]): [number, number] {
  const quote = text[start];
  const isQuoted = (quote === '"' || quote === "'") && end - start > 1 && text[end - 1] === quote;
  return isQuoted ? [start + 1, end - 1] : [start, end];
}

/** Overlapping spans become one, named by the first. */
function merged(spans: readonly Span[]): readonly Span[] {
  const result: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = result.at(-1);
    if (last === undefined || span.start >= last.end) result.push(span);
    else result[result.length - 1] = { ...last, end: Math.max(last.end, span.end) };
  }
  return result;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not percent-encoded after all
  }
}
