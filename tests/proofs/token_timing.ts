/** Whether the time of a refusal tells how much of a guessed token is right. */
import assert from "node:assert/strict";
import type { HttpIncoming } from "../../src/core/mod.ts";
import type { Manage } from "../../src/manage/mod.ts";
import { startManagement, TOKENS } from "../support/management.ts";

export interface TimingReport {
  readonly tries: number;
  /** Share of the quickest tries = Welch's t between the times of both kinds of guesses. */
  readonly t: Readonly<Record<string, number>>;
}

/** Above it the difference is taken for real; below, for chance. */
export const SIGNIFICANT_T = 4.5;
/** What interrupts a process hits few tries, but hard. */
const SHARES = [1, 0.99, 0.9, 0.5] as const;
/** Refusals of an address before it is limited. */
const TRIES_OF_ADDRESS = 10;

interface Sample {
  readonly ms: number;
  readonly isClose: boolean;
}

/** Guesses that share all but the last character with a token, and guesses that share nothing. */
export async function tokenTiming(tries: number): Promise<TimingReport> {
  const { manage, stop } = await startManagement();
  try {
    const samples: Sample[] = [];
    for (let n = 0; n < tries; n++) samples.push(await attempt(manage, n));
    // What runs first runs slower: compilers are at work.
    const warm = samples.slice(Math.floor(tries / 10));
    const t = SHARES.map((share) => [String(share), tOf(quickest(warm, share))]);
    return { tries, t: Object.fromEntries(t) };
  } finally {
    await stop();
  }
}

async function attempt(manage: Manage, n: number): Promise<Sample> {
  const isClose = Math.random() < 0.5;
  const incoming = requestWith(guess(isClose));
  const peer = { address: addressOf(Math.floor(n / TRIES_OF_ADDRESS)) };
  const start = performance.now();
  const { status } = await manage.handle(incoming, peer);
  const ms = performance.now() - start;
  assert.equal(status, 401);
  return { ms, isClose };
}

function requestWith(token: string): HttpIncoming {
  const headers = new Map([["host", "127.0.0.1"], ["authorization", `Bearer ${token}`]]);
  return {
    method: "GET",
    target: "/manage/v1/status",
    header: (name) => headers.get(name),
    headerBytes: () => 0,
    body: () => Promise.resolve(new Uint8Array()),
    abandon: () => {},
    onGone: () => {},
  };
}

/** Both kinds are made in the same steps, as a new text: how a text was made shows in what it costs. */
function guess(isClose: boolean): string {
  const codes = Array.from(TOKENS.admin, (own, index) => {
    const isLast = index === TOKENS.admin.length - 1;
    const other = (isLast ? DIGITS : LETTERS).charCodeAt(Math.floor(Math.random() * 10));
    return isClose && !isLast ? own.charCodeAt(0) : other;
  });
  return decoder.decode(Uint8Array.from(codes));
}

/** None of them stands in the token where it may be put. */
const LETTERS = "ABCDEFGHIJ";
const DIGITS = "0123456789";
const decoder = new TextDecoder();

function addressOf(n: number): string {
  return `10.${n >> 16 & 255}.${n >> 8 & 255}.${n & 255}`;
}

function quickest(samples: readonly Sample[], share: number): readonly Sample[] {
  const sorted = samples.toSorted((a, b) => a.ms - b.ms);
  return sorted.slice(0, Math.ceil(sorted.length * share));
}

/** Welch's t-statistic between both kinds. */
function tOf(samples: readonly Sample[]): number {
  const [close, other] = [true, false].map((wanted) =>
    momentsOf(samples.filter(({ isClose }) => isClose === wanted).map(({ ms }) => ms))
  ) as [Moments, Moments];
  return (close.mean - other.mean) / Math.sqrt(close.error + other.error);
}

interface Moments {
  readonly mean: number;
  /** Variance of the mean. */
  readonly error: number;
}

function momentsOf(values: readonly number[]): Moments {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: squares / (values.length - 1) / values.length };
}
