import type { Random } from "../../ports/random.ts";

export const webRandom: Random = {
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  fraction: () => Math.random(),
};

/** Name of a core among the replicas: 12 hexadecimal digits. */
export function newInstance(): string {
  return Array.from(webRandom.bytes(6), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
