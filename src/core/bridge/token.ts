import type { Random } from "../../ports/random.ts";

const BYTES = 24;

/** 192 random bits, 48 hexadecimal digits. */
export function randomToken(random: Random): string {
  return toHex(random.bytes(BYTES));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
