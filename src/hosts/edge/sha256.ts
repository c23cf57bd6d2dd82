/** SHA-256, synchronous: the web's own is not, and rows of the audit are chained while a call is under way. */
import type { Digest } from "../../ports/digest.ts";

const ROUNDS = 64;
const BLOCK = 64;

/** First 32 bits of the fractional part of a root, as the standard (FIPS 180-4) takes its constants. */
function fraction(root: number): number {
  return ((root - Math.floor(root)) * 2 ** 32) | 0;
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate++) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return found;
}

const PRIMES = primes(ROUNDS);
const K = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));
const START = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));

export const webDigest: Digest = { sha256 };

/** Over the text as UTF-8, 64 hexadecimal digits in lower case. */
export function sha256(text: string): string {
  const words = padded(new TextEncoder().encode(text));
  const state = Int32Array.from(START);
  const schedule = new Int32Array(ROUNDS);
  for (let at = 0; at < words.byteLength; at += BLOCK) {
    extend(schedule, words, at);
    compress(state, schedule);
  }
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** The message, a one bit, zeros, and its length in bits, in whole blocks. */
function padded(message: Uint8Array): DataView {
  const blocks = Math.floor((message.length + 8) / BLOCK) + 1;
  const bytes = new Uint8Array(blocks * BLOCK);
  bytes.set(message);
  bytes[message.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 8, Math.floor(message.length / 2 ** 29));
  view.setUint32(bytes.length - 4, (message.length << 3) >>> 0);
  return view;
}

function extend(schedule: Int32Array, words: DataView, at: number): void {
  for (let index = 0; index < 16; index++) schedule[index] = words.getInt32(at + index * 4);
  for (let index = 16; index < ROUNDS; index++) {
    const near = word(schedule, index - 2);
    const far = word(schedule, index - 15);
    const one = rotated(near, 17) ^ rotated(near, 19) ^ (near >>> 10);
    const zero = rotated(far, 7) ^ rotated(far, 18) ^ (far >>> 3);
    schedule[index] = one + word(schedule, index - 7) + zero + word(schedule, index - 16);
  }
}

function compress(state: Int32Array, schedule: Int32Array): void {
  let [a, b, c, d, e, f, g, h] = state as unknown as Eight;
  for (let index = 0; index < ROUNDS; index++) {
    const high = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
    const chosen = (e & f) ^ (~e & g);
    const one = (h + high + chosen + word(K, index) + word(schedule, index)) | 0;
    const low = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
    const most = (a & b) ^ (a & c) ^ (b & c);
    [h, g, f] = [g, f, e];
    e = (d + one) | 0;
    [d, c, b] = [c, b, a];
    a = (one + low + most) | 0;
  }
  for (const [at, value] of [a, b, c, d, e, f, g, h].entries()) state[at] = word(state, at) + value;
}

type Eight = [number, number, number, number, number, number, number, number];

function rotated(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits));
}

function word(words: Int32Array, index: number): number {
  return words[index] as number;
}
