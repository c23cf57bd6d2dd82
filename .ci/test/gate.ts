/** After a full run: which requirements the tests that really ran have proven. */
import { filesById, gateProblems, proofsOf } from "../../tests/arch/proofs.ts";
import { readSource, testFiles } from "../../tests/arch/source_files.ts";
import { type Requirement, REQUIREMENTS } from "../../tests/requirements.ts";
import type { FileResult } from "./run_file.ts";
import { runsOn, RUNTIMES } from "./runtimes.ts";

/** Prints the state of the requirements; returns what is wrong. */
export function requirementsGate(results: readonly FileResult[]): string[] {
  const proofs = testFiles().flatMap((file) => proofsOf(file, readSource(file)));
  const cited = [...filesById(proofs).keys()];
  const unproven = RUNTIMES.flatMap((runtime) => {
    const passed = passedIds(results.filter((result) => result.runtime === runtime));
    const wanted = filesById(proofs.filter(({ file }) => runsOn(runtime, file))).keys();
    return [...wanted].filter((id) => !passed.has(id)).map((id) =>
      `${id} has no passed test on ${runtime}`
    );
  });
  const table: Readonly<Record<string, Requirement>> = REQUIREMENTS;
  const ids = Object.keys(table);
  console.log("requirements");
  print("proven", ids.filter((id) => cited.includes(id) && table[id]?.partly === undefined));
  print("partly", ids.filter((id) => table[id]?.partly !== undefined));
  print("open", ids.filter((id) => table[id]?.open !== undefined));
  return [...gateProblems(REQUIREMENTS, proofs), ...unproven];
}

/** Ids in the names of passed tests, as `proves()` writes them. */
function passedIds(results: readonly FileResult[]): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const { name, outcome } of results.flatMap(({ cases }) => cases)) {
    const [, cited = ""] = /\[([A-Z]\d[\w. ]*)\]/.exec(name) ?? [];
    if (outcome === "passed") { for (const id of cited.split(" ")) ids.add(id); }
  }
  return ids;
}

function print(state: string, ids: readonly string[]): void {
  console.log(`  ${state.padEnd(6)} ${String(ids.length).padStart(3)}  ${ids.join(" ")}`);
}
