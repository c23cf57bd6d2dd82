/**
 * Every check that is not a test: `main.ts [step names]`, all steps without an argument. A step
 * that sees fewer files than there are fails, because a check of nothing is always green.
 */
import process from "node:process";
import { sourceFiles } from "../../tests/arch/source_files.ts";
import { type Step, STEPS } from "./steps.ts";

/** Below this the checkout is broken, and every count in the steps would be too low. */
const LEAST_SOURCES = 60;

const wanted = process.argv.slice(2);
const steps = STEPS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
process.exitCode = await main(steps);

async function main(steps: readonly Step[]): Promise<number> {
  const sources = sourceFiles("src", "cli").length;
  const failed: string[] = [];
  if (sources < LEAST_SOURCES) failed.push(`sources: saw ${sources} of ${LEAST_SOURCES}`);
  const unknown = wanted.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0) failed.push(`no step is named ${unknown.join(", ")}`);
  for (const step of steps) {
    if (!await runStep(step)) failed.push(step.name);
  }
  const passed = `${steps.length} steps, ${failed.length} failed`;
  console.log(failed.length === 0 ? passed : `${passed}: ${failed.join(", ")}`);
  return failed.length === 0 ? 0 : 1;
}

async function runStep({ name, least, run }: Step): Promise<boolean> {
  const started = performance.now();
  const { ok, seen, output } = await run();
  const enough = seen >= Math.max(1, least);
  const state = ok && enough ? "ok    " : "FAILED";
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${state} ${name.padEnd(12)} ${String(seen).padStart(5)} files ${seconds.padStart(7)} s`,
  );
  if (!enough) console.log(`  saw ${seen} files, at least ${least} are there`);
  if (!ok) console.log(relevant(output).replace(/^/gm, "  | "));
  return ok && enough;
}

/** Output without the list of files that were fine. */
function relevant(output: string): string {
  const lines = output.trimEnd().split("\n");
  return lines.filter((line) => !/^\/.*\.([mc]?ts|json)$/.test(line)).join("\n");
}
