/** Forms in which arguments and results are recorded: `none`, `hash`, `redacted`, `full`. */
import type { Config } from "../../contract/mod.ts";
import type { Digest } from "../../ports/digest.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import { compilePatterns, type Matcher } from "../patterns.ts";

type Form = Config["audit"]["arguments"];

/** Stands where a value of a field was whose name `audit.redact` has. */
const REDACTED = "«redacted»";
/** Characters recorded of one value; a longer one is told by its size only. */
const MAX_RECORDED = 16 * 1024;
const MAX_DEPTH = 64;
/** Names of fields whose verdict is kept. */
const MAX_NAMES = 4096;

interface RawJson {
  readonly rawJSON: string;
}
const json = JSON as unknown as { isRawJSON(value: unknown): value is RawJson };

export class Forms {
  readonly #digest: Digest;
  readonly #isSecret: Matcher;
  readonly #verdicts = new Map<string, boolean>();
  /** Characters that may still be recorded of the value at hand. */
  #room = 0;

  /** @param redact patterns over names of fields; the case of letters makes no difference */
  constructor(redact: readonly string[], digest: Digest) {
    this.#digest = digest;
    this.#isSecret = compilePatterns(redact.map((pattern) => pattern.toLowerCase()));
  }

  /** A JSON value as it is recorded; undefined when nothing is. Never the value itself when it has secrets. */
  ofValue(value: unknown, form: Form): unknown {
    if (value === undefined || form === "none") return undefined;
    if (form === "hash") return this.#hash(JSON.stringify(value));
    this.#room = MAX_RECORDED;
    const recorded = this.#walk(value, form === "redacted", 0);
    return this.#room < 0 ? { omitted: `larger than ${MAX_RECORDED} characters` } : recorded;
  }

  /** The same for a value that is there as JSON text. */
  ofText(text: string, form: Form): unknown {
    if (form === "none") return undefined;
    if (form === "hash") return this.#hash(text);
    if (text.length > MAX_RECORDED) return { omitted: `larger than ${MAX_RECORDED} characters` };
    return this.ofValue(JSON.parse(text), form);
  }

  #hash(text: string): string {
    return `sha256:${this.#digest.sha256(text)}`;
  }

  /** Copies only what differs. */
  #walk(value: unknown, redact: boolean, depth: number): unknown {
    if (typeof value === "string") {
      this.#room -= value.length;
      return value;
    }
    this.#room -= 4;
    if (typeof value !== "object" || value === null || this.#room < 0) return value;
    // A number that no double can carry: its digits, so that readers get back what was hashed.
    if (json.isRawJSON(value)) return value.rawJSON;
    if (depth >= MAX_DEPTH) return REDACTED;
    return Array.isArray(value)
      ? this.#walkList(value, redact, depth)
      : this.#walkObject(value as JsonObject, redact, depth);
  }

  #walkList(value: readonly unknown[], redact: boolean, depth: number): unknown {
    let copy: unknown[] | undefined;
    for (let at = 0; at < value.length && this.#room >= 0; at++) {
      const walked = this.#walk(value[at], redact, depth + 1);
      if (walked === value[at]) continue;
      copy ??= [...value];
      copy[at] = walked;
    }
    return copy ?? value;
  }

  #walkObject(value: JsonObject, redact: boolean, depth: number): unknown {
    let copy: JsonObject | undefined;
    for (const name in value) {
      if (this.#room < 0) break;
      this.#room -= name.length;
      const walked = redact && this.#names(name)
        ? REDACTED
        : this.#walk(value[name], redact, depth + 1);
      if (walked === value[name]) continue;
      copy ??= { ...value };
      copy[name] = walked;
    }
    return copy ?? value;
  }

  #names(name: string): boolean {
    const known = this.#verdicts.get(name);
    if (known !== undefined) return known;
    const verdict = this.#isSecret(name.toLowerCase());
    if (this.#verdicts.size < MAX_NAMES) this.#verdicts.set(name, verdict);
    return verdict;
  }
}

/** What a call was asked to do, beside the name: arguments of tools and prompts, the value to complete. */
export function recordedParams(method: string, params: JsonObject): unknown {
  if (method === "completion/complete") return params["argument"];
  const { arguments: given } = params;
  return isObject(given) ? given : undefined;
}
