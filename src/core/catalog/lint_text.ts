/**
 * What a text for a model should not have. Each check costs a bounded number of steps per character: there is no
 * text that makes it slow.
 */
import type { FindingKind } from "../../contract/definitions.ts";

const PLAIN = /^[\t\n\r\x20-\x7e]*$/;
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
/** Joiners have their place in many scripts and between pictures, not behind these. */
const INVISIBLE =
  /\u034f|[\u00ad\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0]|(?<=^|[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Han}\p{N}\p{P}\s])[\u200c\u200d]/u;
const TAG = /[\u{e0000}-\u{e01ef}]/u;
// deno-lint-ignore no-control-regex -- finding control characters is the point
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029]/;
const HIDING = /\u034f|[\p{Cf}\u115f\u1160\u3164\uffa0]/gu;

/** What a URL or encoded data of that length needs. */
const LONG = /(?<!\S)\S{65}/;
const LONG_URL = /(?:https?|wss?|ftp|data|javascript):\S{58}/i;
const RUN = /[A-Za-z0-9+/_=-]{65,}/g;

const LATIN = /\p{Script=Latin}/u;
const LOOKALIKE =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}]/u;
/** Full width, mathematical alphabets. */
const DRESSED = /[\uff21-\uff3a\uff41-\uff5a\u{1d400}-\u{1d7ff}]/u;

const ORDERS = [
  "ignore previous",
  "ignore all previous",
  "ignore the previous",
  "ignore prior",
  "ignore all prior",
  "ignore the above",
  "ignore any other",
  "ignore all other",
  "disregard previous",
  "disregard all",
  "disregard the",
  "forget previous",
  "forget all previous",
  "override previous",
  "do not tell the user",
  "don't tell the user",
  "do not inform the user",
  "do not mention",
  "don't mention",
  "do not reveal",
  "do not ask the user",
  "without telling the user",
  "without asking the user",
  "without the user",
  "hide this from",
  "keep this secret",
  "before using this tool",
  "before calling any other tool",
  "before using any other tool",
  "always call this tool",
  "must call this tool",
  "instead of calling",
  "your system prompt",
  "the system prompt",
  "new instructions",
  "<important>",
  "<system>",
  "</system>",
  "[system]",
  "~/.ssh",
  "id_rsa",
  "~/.aws",
  "/etc/passwd",
];
/** One of these stands in every order; most texts have none. */
const MAY_ORDER =
  /ignore|disregard|forget|override|do\s+not|don't|without|hide|keep|before|call|instead|system|instructions|important|id_rsa|passwd|\.ssh|\.aws/i;
/** Words that oblige; so many of them in one text are a passage of orders. */
const OBLIGING = /\b(?:must|always|never|do not|don't|important)\b/gi;
const MANY_ORDERS = 8;
const LONG_PASSAGE = 400;

/** Findings of one text; `links` false where a URL or encoded data is what belongs there. */
export function textFindings(text: string, { links }: { readonly links: boolean }): FindingKind[] {
  const found: FindingKind[] = [];
  const isPlain = PLAIN.test(text);
  if (!isPlain) found.push(...hiddenIn(text));
  if (links && LONG.test(text)) {
    if (LONG_URL.test(text)) found.push("url");
    else if (hasEncodedRun(text)) found.push("base64");
  }
  if (givesOrders(isPlain ? text : text.normalize("NFKC").replace(HIDING, ""))) {
    found.push("instruction");
  }
  return found;
}

/** Whether a name mixes alphabets that look alike. */
export function isMixedName(name: string): boolean {
  if (PLAIN.test(name)) return false;
  return DRESSED.test(name) || (LATIN.test(name) && LOOKALIKE.test(name));
}

/** The same for a title, in which every word may have its own alphabet. */
export function isMixedTitle(title: string): boolean {
  return !PLAIN.test(title) && title.split(/[^\p{L}\p{M}]/u).some(isMixedName);
}

function hiddenIn(text: string): FindingKind[] {
  const found: FindingKind[] = [];
  if (BIDI.test(text)) found.push("bidi");
  if (INVISIBLE.test(text)) found.push("invisible");
  if (TAG.test(text)) found.push("tag");
  if (CONTROL.test(text)) found.push("control");
  return found;
}

function hasEncodedRun(text: string): boolean {
  return (text.match(RUN) ?? []).some((run) =>
    /\d/.test(run) && /[a-z]/.test(run) && (/[A-Z]/.test(run) || /^[0-9a-f]*$/.test(run))
  );
}

function givesOrders(text: string): boolean {
  if (text.length > LONG_PASSAGE && (text.match(OBLIGING)?.length ?? 0) >= MANY_ORDERS) return true;
  if (!MAY_ORDER.test(text)) return false;
  const plain = text.toLowerCase().replace(/\s+/g, " ");
  return ORDERS.some((order) => plain.includes(order));
}
