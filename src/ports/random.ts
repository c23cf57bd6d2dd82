/** Source of randomness. */
export interface Random {
  /** `length` cryptographically strong bytes. */
  bytes(length: number): Uint8Array;
  /** Uniform in [0, 1), for jitter. */
  fraction(): number;
}
