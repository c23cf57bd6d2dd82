import { type Kept, PROMISES, type ProofRun } from "../../tests/promises.ts";
import { page, table } from "./markdown.ts";

/** What operators may rely on, what shows it, and what was not shown. */
export function promisesPage(): string {
  const rows = Object.entries(PROMISES).map(([id, kept]) => [
    id,
    kept.promise,
    kept.figure,
    [...kept.tests.map(linked), ...kept.proofs?.map(told) ?? []].join(", "),
    kept.missing ?? "",
  ]);
  const whole = Object.values(PROMISES).filter(isShown).length;
  return page(
    "Promises",
    `What operators may rely on: ${whole} of ${rows.length} shown whole. Tests run with every change, on Node, ` +
      "Deno and Bun, the short forms of four long proofs on one of them. Proofs are commands that take minutes and want a machine of their own, " +
      "`npm run <name> -- --runtime node|deno|bun`; the day is that of the last run at full size, and more of " +
      "its figures are in the [results](../bench/RESULTS.md).",
    table(["id", "promise", "figure", "shown by", "not shown, or missed"], rows),
  );
}

function isShown({ missing, proofs }: Kept): boolean {
  return missing === undefined && (proofs ?? []).every(({ on }) => on !== undefined);
}

function linked(file: string): string {
  return `[${file.slice(file.lastIndexOf("/") + 1)}](../tests/${file})`;
}

function told({ script, on, gave }: ProofRun): string {
  const run = on === undefined
    ? "not run at full size yet"
    : `${on}${gave === undefined ? "" : `: ${gave}`}`;
  return `\`${script}\` (${run})`;
}
