/** Results of operations: what changed, and how to undo it. */
import type { RouteAnswer } from "../src/client/mod.ts";
import type { JsonRoute } from "../src/contract/manage/mod.ts";
import type { Operation } from "../src/contract/operations.ts";
import { EXIT } from "./exit.ts";
import { show, type Shown } from "./show.ts";
import { milliseconds, visible } from "./text.ts";

/** Routes that answer an operation. */
type OperationRoute = {
  [Name in JsonRoute]: RouteAnswer<Name> extends Operation ? Name : never;
}[JsonRoute];

interface Finished<Name extends OperationRoute> extends Shown<Name> {
  /** What was done, such as `reconnected github`. */
  readonly done: string;
  /** What was there already. */
  readonly unchanged: string;
  /** How to get back to before. */
  readonly undo: string;
  /** More about what changed. */
  readonly lines?: (answer: RouteAnswer<Name>) => readonly string[];
}

/** Prints the result; problems go to stderr. Exit code 1 when not all of it took effect. */
export function finish<Name extends OperationRoute>(finished: Finished<Name>): number {
  const { output } = finished;
  const answer: Operation = finished.answer;
  const isGood = answer.outcome === "applied" || answer.outcome === "unchanged";
  const isDone = isGood || answer.outcome === "partial";
  if (isDone || output.isJson) show(finished, (shown) => resultLines(finished, shown));
  const problems = (answer.problems ?? []).map((problem) => `  ${visible(problem)}`).join("\n");
  if (!isDone) {
    const message = `${answer.operation} ${answer.outcome}; nothing is as it was asked for`;
    output.error(`${message}${problems === "" ? "" : `\n${problems}`}`, "mcp-sentinel status", {
      request: answer.id,
    });
  } else if (problems !== "") output.warn(`not all of it works\n${problems}`);
  return isGood ? EXIT.done : EXIT.failed;
}

function resultLines<Name extends OperationRoute>(
  { output, done, unchanged, undo, lines }: Finished<Name>,
  shown: RouteAnswer<Name>,
): readonly string[] {
  const { outcome, before, revision, durationMs }: Operation = shown;
  if (outcome === "unchanged") return [unchanged];
  const facts = `revision ${before} → ${revision}, ${milliseconds(durationMs)}`;
  return [
    `${output.paint("good", done)}   ${output.paint("faint", facts)}`,
    ...lines?.(shown) ?? [],
    `  undo: ${undo}`,
  ];
}
