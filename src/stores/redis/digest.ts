import { createHash } from "node:crypto";
import type { Script } from "./script.ts";

const names = new WeakMap<Script, string>();

/** SHA-1 of its text: how Redis names it. */
export function scriptName(script: Script): string {
  const known = names.get(script) ?? createHash("sha1").update(script.text).digest("hex");
  names.set(script, known);
  return known;
}

/** 64 hexadecimal digits. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
