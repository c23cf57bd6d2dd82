/**
 * Stops everything, in order, also after one of them failed; undefined is what never started.
 * @throws the first failure
 */
export async function stopAll(
  ends: readonly ((() => Promise<unknown>) | undefined)[],
): Promise<void> {
  const failures: unknown[] = [];
  for (const end of ends) {
    await end?.().catch((cause: unknown) => failures.push(cause));
  }
  if (failures.length > 0) throw failures[0];
}
