/** The scriptable backend as a stdio server, and the ledger it keeps. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { executable, REPOSITORY } from "../runtime.ts";
import type { RowB } from "./ledgers.ts";

export interface ChildOptions {
  /** File of ledger B; several children may write into one. */
  readonly ledger: string;
  /** File with what calls get that say nothing of it. */
  readonly script?: string;
  readonly args?: readonly string[];
}

/** Keys of its table `[backends.*]`. */
export function childBackend({ ledger, script, args = [] }: ChildOptions) {
  const program = join(REPOSITORY, "tests/fixtures/scripted_child.ts");
  const told = script === undefined ? [] : ["--script", script];
  return {
    command: executable("node"),
    args: [program, "--ledger", ledger, ...told, ...args],
  };
}

/** What children have noted in a file. A line that a killed one did not finish is not a call. */
export function readLedger(file: string): RowB[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8").split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as RowB];
    } catch {
      return [];
    }
  });
}
