/** The one mask of a gateway: every output goes through it, and a reload may teach it new secrets. */
import { masker } from "../config/mask.ts";
import type { HttpHandler } from "../core/mod.ts";
import type { StateStore } from "../ports/state_store.ts";

/** Secrets remembered, those of earlier configurations included; the oldest are forgotten first. */
const MAX_SECRETS = 10_000;

export class Mask {
  #secrets: readonly string[];
  #replace: (text: string) => string;

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
    this.#replace = masker(secrets);
  }

  /** Everything it replaces. */
  get secrets(): readonly string[] {
    return this.#secrets;
  }

  /** Replaces every secret in a text; bound, so that it can be handed on. */
  readonly apply = (text: string): string => this.#replace(text);

  /** The same for the text of a JSON document, which stays one. */
  readonly applyToJson = (text: string): string => {
    const masked = this.#replace(text);
    return masked === text ? text : JSON.stringify(this.#maskedValue(JSON.parse(text)));
  };

  /** Replaces these too. What was secret before stays so: it may still be quoted somewhere. */
  learn(secrets: readonly string[]): void {
    const all = new Set([...secrets, ...this.#secrets]);
    if (all.size === this.#secrets.length) return;
    this.#secrets = [...all].slice(0, MAX_SECRETS);
    this.#replace = masker(this.#secrets);
  }

  /** Names of members are masked too; a number is not: it would be no document any more. */
  #maskedValue(value: unknown): unknown {
    if (typeof value === "string") return this.#replace(value);
    if (Array.isArray(value)) return value.map((item) => this.#maskedValue(item));
    if (typeof value !== "object" || value === null) return value;
    const members = Object.entries(value);
    return Object.fromEntries(
      members.map(([name, member]) => [this.#replace(name), this.#maskedValue(member)]),
    );
  }
}

/** A handler whose answers are masked; streams are made of events that are masked already. */
export function maskedHandler(handle: HttpHandler, mask: Mask): HttpHandler {
  return async (incoming, peer) => {
    const answer = await handle(incoming, peer);
    if (typeof answer.body !== "string") return answer;
    const isJson = answer.headers["content-type"] === "application/json";
    return { ...answer, body: isJson ? mask.applyToJson(answer.body) : mask.apply(answer.body) };
  };
}

/** A store whose definitions of tools are masked; names are not, or nobody would find them again. */
export function maskedState(store: StateStore, mask: Mask): StateStore {
  const definitionsMasked = (text: string) =>
    JSON.parse(
      text,
      (name, value: unknown) =>
        name === "definition" && typeof value === "string" ? mask.applyToJson(value) : value,
    );
  return {
    kind: store.kind,
    append: (event) => store.append(event),
    eventsAfter: (cursor, limit) => store.eventsAfter(cursor, limit),
    bounds: () => store.bounds(),
    entries: (area) => store.entries(area),
    put: (area, key, value) => {
      const isPin = area === "definition_pin";
      store.put(area, key, isPin ? definitionsMasked(JSON.stringify(value)) : value);
    },
    remove: (area, key) => store.remove(area, key),
    close: () => store.close(),
  };
}
