/** The one mask of a gateway: every output goes through it, and a reload may teach it new secrets. */
import { masker } from "../config/mask.ts";

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

  /** Replaces these too. What was secret before stays so: it may still be quoted somewhere. */
  learn(secrets: readonly string[]): void {
    const all = new Set([...secrets, ...this.#secrets]);
    if (all.size === this.#secrets.length) return;
    this.#secrets = [...all].slice(0, MAX_SECRETS);
    this.#replace = masker(this.#secrets);
  }
}
