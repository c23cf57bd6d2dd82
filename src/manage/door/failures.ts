/** How often an address failed, so that guessing ends early. */
import type { Clock } from "../../ports/clock.ts";

/** Failures of an address within a minute before it is limited. */
const MAX_FAILURES = 20;
const WINDOW_MS = 60_000;
const LIMITED_MS = 60_000;
/** Addresses remembered; the one whose first failure is longest ago is forgotten first. */
const MAX_ADDRESSES = 10_000;

interface Entry {
  readonly from: number;
  failures: number;
  until: number;
  told: boolean;
}

/** An address that failed too often. */
export interface Limited {
  readonly retryAfterMs: number;
  /** True for the first request that is turned away for it. */
  readonly begins: boolean;
}

export class Failures {
  readonly #clock: Clock;
  /** In the order of their first failure. */
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the address is limited now. */
  limited(address: string | undefined): Limited | undefined {
    const entry = this.#entries.get(bucketOf(address));
    const left = (entry?.until ?? 0) - this.#clock.monotonic();
    if (entry === undefined || left <= 0) return undefined;
    const begins = !entry.told;
    entry.told = true;
    return { retryAfterMs: Math.ceil(left), begins };
  }

  /** Counts a failure of an address that is not limited. */
  count(address: string | undefined): void {
    const now = this.#clock.monotonic();
    const entry = this.#entryOf(bucketOf(address), now);
    entry.failures++;
    if (entry.failures < MAX_FAILURES) return;
    entry.until = now + LIMITED_MS;
    entry.told = false;
  }

  #entryOf(bucket: string, now: number): Entry {
    const known = this.#entries.get(bucket);
    if (known !== undefined && now < Math.max(known.from + WINDOW_MS, known.until)) return known;
    this.#entries.delete(bucket);
    if (this.#entries.size >= MAX_ADDRESSES) this.#forgetOldest();
    const entry = { from: now, failures: 0, until: 0, told: false };
    this.#entries.set(bucket, entry);
    return entry;
  }

  #forgetOldest(): void {
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }
}

/** True for this machine itself, and where the host cannot tell: who may not be locked out. */
export function isLoopback(address: string | undefined): boolean {
  return address === undefined || address === "::1" || /^(?:::ffff:)?127\./i.test(address);
}

/** One network of a customer counts as one: with IPv6 that is a /64, full of addresses to change. */
function bucketOf(address: string | undefined): string {
  if (address === undefined) return "";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.toLowerCase().replace(/%.*$/, "").split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = new Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill("0");
  return [...groups, ...zeros, ...rest].slice(0, 4).join(":");
}
