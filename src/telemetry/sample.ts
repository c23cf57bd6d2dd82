/** Which traces are kept from their beginning. */

/** Hexadecimal digits of a trace id that are random in every generation of the standard, and fit a double. */
const RANDOM_DIGITS = 13;
const ALL = 16 ** RANDOM_DIGITS;

/**
 * The same answer for a trace id everywhere: a trace that a smaller share keeps, a larger one keeps too.
 * @param share from 0 to 1
 */
export function isInSample(traceId: string, share: number): boolean {
  const random = Number.parseInt(traceId.slice(-RANDOM_DIGITS), 16);
  return random >= (1 - share) * ALL;
}
