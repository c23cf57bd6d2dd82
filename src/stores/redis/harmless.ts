/** A key holds what nobody here has put there. */
export function isOfAnotherKind(cause: unknown): boolean {
  return cause instanceof Error && cause.message.includes("WRONGTYPE");
}
