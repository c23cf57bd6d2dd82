/** Whether tokens of each issuer can be verified: its keys, its certificate, its clock. */
import type { JWK } from "jose";
import type { Check } from "../../contract/diagnosis.ts";
import { type Config, HttpFailure } from "../../contract/mod.ts";
import type { HttpClient } from "../../ports/http_client.ts";
import { loadHttpClient } from "../ports.ts";
import { certificateAt, dateProblem } from "./certificate.ts";
import { type Bounds, someAtATime, TooLate, within } from "./within.ts";

type Issuer = Config["auth"]["jwt"][number];

const AT_A_TIME = 4;
/** As the gateway takes them. */
const MAX_BYTES = 256 * 1024;
const DEFAULT_ALGORITHMS = ["RS256", "ES256", "EdDSA"];

export interface IssuersOptions extends Bounds {
  readonly config: Config;
}

export async function examineIssuers(options: IssuersOptions): Promise<readonly Check[]> {
  const { mode, jwt } = options.config.auth;
  if (mode === "none") {
    return [{ section: "auth", level: "ok", text: "no sign-in: for callers of this machine only" }];
  }
  const http = await loadHttpClient();
  try {
    const checks = await someAtATime(jwt, AT_A_TIME, (issuer) => check(issuer, http, options));
    return checks.flat();
  } finally {
    await http.close();
  }
}

async function check(issuer: Issuer, http: HttpClient, bounds: Bounds): Promise<readonly Check[]> {
  const row = { section: "auth", name: issuer.issuer } as const;
  if (issuer.jwks_url === undefined) {
    return [{ ...row, level: "ok", text: "a shared secret, nothing to fetch" }];
  }
  const url = new URL(issuer.jwks_url);
  try {
    return await within(bounds, async (signal) => {
      const startedAt = performance.now();
      const answer = await fetchKeys(http, url, signal);
      const tookMs = Math.round(performance.now() - startedAt);
      return [await keysCheck(issuer, answer.keys, tookMs), ...clockChecks(issuer, answer.date)];
    });
  } catch (thrown) {
    if (bounds.signal.aborted) throw thrown;
    return [await failureCheck(issuer, thrown, bounds)];
  }
}

interface Answer {
  readonly keys: readonly JWK[];
  /** Header of that name. */
  readonly date: string | undefined;
}

/** @throws HttpFailure, Refused */
async function fetchKeys(http: HttpClient, url: URL, signal: AbortSignal): Promise<Answer> {
  const headers = { accept: "application/jwk-set+json, application/json" };
  const response = await http.send({ method: "GET", url, headers, signal });
  if (response.status !== 200) {
    response.discard();
    throw new Refused(`the answer has status ${response.status}`);
  }
  const date = response.header("date");
  const keys = keysIn(await response.text(MAX_BYTES));
  if (keys === undefined) throw new Refused("the answer is no set of keys");
  return { keys, date };
}

/** It answered, with something that is of no use. */
class Refused extends Error {}

function keysIn(text: string): readonly JWK[] | undefined {
  try {
    const { keys } = JSON.parse(text) as { readonly keys?: unknown };
    return Array.isArray(keys) ? keys.filter(isKey) : undefined;
  } catch {
    return undefined; // no JSON, or null
  }
}

function isKey(value: unknown): value is JWK {
  return typeof value === "object" && value !== null && "kty" in value;
}

async function keysCheck(issuer: Issuer, keys: readonly JWK[], tookMs: number): Promise<Check> {
  const algorithms = issuer.algorithms ?? DEFAULT_ALGORITHMS;
  const usable = (await Promise.all(keys.map((key) => isUsable(key, algorithms))))
    .filter((one) => one).length;
  const row = { section: "auth", name: issuer.issuer } as const;
  if (usable > 0) {
    const text = `${usable} of ${keys.length} keys usable, in ${tookMs} ms`;
    return { ...row, level: "ok", text };
  }
  return {
    ...row,
    level: "fail",
    text: `none of its ${keys.length} keys is for ${algorithms.join(", ")}`,
    detail: ["calls with a token from this issuer are rejected"],
    cure: "name its algorithms in [[auth.jwt]], or correct jwks_url",
  };
}

/** A public key for signatures with one of the algorithms. */
async function isUsable(key: JWK, algorithms: readonly string[]): Promise<boolean> {
  if (key.use === "enc" || key.kty === "oct" || key.d !== undefined) return false;
  const { importJWK } = await import("jose/key/import");
  const own = key.alg === undefined ? algorithms : algorithms.filter((each) => each === key.alg);
  const tries = own.map((algorithm) => importJWK(key, algorithm).then(() => true, () => false));
  return (await Promise.all(tries)).some((one) => one);
}

/** The header says whole seconds, and came a moment ago. */
function clockChecks({ issuer, clock_skew: most }: Issuer, date: string | undefined): Check[] {
  const apart = Date.parse(date ?? "") - Date.now();
  if (Number.isNaN(apart) || Math.abs(apart) <= Math.max(most, 2000)) return [];
  const seconds = Math.round(Math.abs(apart) / 1000);
  const text = `its clock is ${seconds} s ${apart > 0 ? "ahead of" : "behind"} ours, ` +
    `and ${most / 1000} s are forgiven`;
  const cure =
    "set the clock of this machine by NTP; new tokens are refused for as long as they differ";
  return [{ section: "auth", name: issuer, level: "warn", text, cure }];
}

async function failureCheck(
  { issuer, jwks_url: address = "" }: Issuer,
  thrown: unknown,
  { limitMs, signal }: Bounds,
): Promise<Check> {
  const url = new URL(address);
  const words = wordsOf(thrown);
  const isCertificate = /certificate|TLS/i.test(words);
  const shown = isCertificate
    ? await within({ limitMs, signal }, (aborted) => certificateAt(url, aborted))
      .catch(() => undefined)
    : undefined;
  const problem = shown === undefined ? undefined : dateProblem(shown, Date.now());
  return {
    section: "auth",
    name: issuer,
    level: "fail",
    text: `keys at ${url.origin}${url.pathname}: ${problem ?? words}`,
    detail: ["calls with a token from this issuer are rejected"],
    cure: cureFor(problem ?? words, url.host),
  };
}

function wordsOf(thrown: unknown): string {
  if (thrown instanceof HttpFailure || thrown instanceof Refused || thrown instanceof TooLate) {
    return thrown.message;
  }
  throw thrown;
}

const CURES: readonly (readonly [RegExp, string])[] = [
  [/expired/i, "have the certificate of % renewed"],
  [/valid from/, "set the clock of this machine, or wait"],
  [
    /WRONG_VERSION|EPROTO|TLS failed|corrupt message/i,
    "what answers at % speaks no TLS: write http://, or correct the port",
  ],
  [
    /certificate|issuer/i,
    "name the authority of its certificate: NODE_EXTRA_CA_CERTS=FILE (Deno: DENO_CERT=FILE) in the environment",
  ],
  [/refused/, "start it, or correct host and port of jwks_url: nothing listens on %"],
  [/host name/, "correct the name % in jwks_url, or ask your name service"],
  [
    /status|set of keys/,
    "correct the path of jwks_url; /.well-known/openid-configuration names it",
  ],
];

function cureFor(words: string, host: string): string {
  const found = CURES.find(([pattern]) => pattern.test(words))?.[1];
  return (found ?? "% cannot be reached from here: look at routes and firewalls").replace(
    "%",
    host,
  );
}
