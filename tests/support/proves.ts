import { test, type TestContext } from "node:test";
import type { RequirementId } from "../requirements.ts";

export interface ProvesOptions {
  /** Milliseconds after which the test fails. */
  readonly timeout?: number;
}

/**
 * A test that cites the requirements it proves; write it inside a `describe`, with the ids as
 * literals, because the gate reads them from the source text. The ids become part of the name.
 */
export function proves(
  ids: RequirementId | readonly RequirementId[],
  name: string,
  fn: (t: TestContext) => void | Promise<void>,
  options: ProvesOptions = {},
): void {
  const cited = typeof ids === "string" ? ids : ids.join(" ");
  void test(`[${cited}] ${name}`, options, fn);
}
