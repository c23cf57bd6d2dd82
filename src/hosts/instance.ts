import { Buffer } from "node:buffer";
import type { Random } from "../ports/random.ts";

/** Name of this run of a gateway among its replicas: 12 hexadecimal digits. */
export function newInstance(random: Random): string {
  return Buffer.from(random.bytes(6)).toString("hex");
}
