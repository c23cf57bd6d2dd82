/** Paths into definitions, as people read them: `$.inputSchema.enum[2]`. */
import { printable } from "./refusals.ts";

const PLAIN = /^[A-Za-z_$][\w$-]*$/;
const MAX_KEY = 64;

export function memberPath(parent: string, key: string): string {
  return PLAIN.test(key) && key.length <= MAX_KEY
    ? `${parent}.${key}`
    : `${parent}[${JSON.stringify(printable(key, MAX_KEY))}]`;
}

export function itemPath(parent: string, index: number): string {
  return `${parent}[${index}]`;
}
