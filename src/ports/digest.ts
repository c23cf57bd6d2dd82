/** Hashes that others can recompute; synchronous, because they are taken while a call is under way. */
export interface Digest {
  /** SHA-256 over the text as UTF-8, 64 hexadecimal digits in lower case. */
  sha256(text: string): string;
}
