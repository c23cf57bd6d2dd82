import { HttpFailure } from "../../contract/mod.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Collects a body up to a bound. */
export class BodyText {
  readonly #maxBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws HttpFailure when the bound is passed */
  add(chunk: Uint8Array): void {
    this.#size += chunk.byteLength;
    if (this.#size > this.#maxBytes) throw tooLong(this.#maxBytes);
    this.#chunks.push(chunk);
  }

  /** @throws HttpFailure when it is not UTF-8 */
  text(): string {
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && first !== undefined) return decodeBody(first);
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.byteLength;
    }
    return decodeBody(whole);
  }
}

export function tooLong(maxBytes: number): HttpFailure {
  return new HttpFailure(`longer than ${maxBytes} bytes`, true, undefined, true);
}

/** @throws HttpFailure when it is not UTF-8 */
export function decodeBody(bytes: Uint8Array | ArrayBuffer): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new HttpFailure("not UTF-8", true, cause, true);
  }
}
