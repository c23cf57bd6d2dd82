/** What tests with real children share: the fixture programs, and looking at processes from outside. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { EventName } from "../../../src/contract/mod.ts";
import type { Log } from "../../../src/ports/log.ts";
import type { SpawnOptions } from "../../../src/ports/process.ts";

/** The pinned Node runs the fixtures, whatever runs the tests. */
export const NODE = fileURLToPath(new URL("../../../node_modules/.bin/node", import.meta.url));
const FIXTURES = fileURLToPath(new URL("../../fixtures/children/", import.meta.url));
const DEADLINE_MS = 20_000;
const LOOK_MS = 20;

/** A program of `tests/fixtures/children`, with nothing but PATH in its environment. */
export function fixture(name: string, ...args: string[]): SpawnOptions {
  const env = { PATH: "/usr/bin:/bin" };
  return { name: "fixture", command: NODE, args: [`${FIXTURES}${name}.mjs`, ...args], env };
}

/** Whether a process runs; a zombie does not. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

/** Resolves as soon as `condition` holds; fails after a generous deadline. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Everything of a stream of bytes, as text. */
export async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
  return text;
}

/** The first line of a stream of bytes, parsed. The stream stays open. */
export async function firstMessage<T>(chunks: AsyncIterable<Uint8Array>): Promise<T> {
  const decoder = new TextDecoder();
  const iterator = chunks[Symbol.asyncIterator]();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await iterator.next();
    if (done === true) throw new Error(`The stream ended after "${text}"`);
    text += decoder.decode(value, { stream: true });
  }
  return JSON.parse(text.slice(0, text.indexOf("\n"))) as T;
}

/** A log that keeps what it is told. */
export class KeptLog implements Log {
  readonly entries: { readonly event: EventName; readonly fields: unknown }[] = [];

  write(event: EventName, fields: Readonly<Record<string, unknown>> = {}): void {
    this.entries.push({ event, fields });
  }
}
