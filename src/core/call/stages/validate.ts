/** `validate`: arguments against the tool's own schema. What is forwarded stays as the caller sent it. */
import { SentinelError } from "../../../contract/mod.ts";
import type { Problem } from "../../../ports/schema_compiler.ts";
import { ownResult } from "../../bridge/fields_own.ts";
import { printable } from "../../catalog/refusals.ts";
import type { Target } from "../../catalog/types.ts";
import { revisionOf } from "../../mcp/revisions.ts";
import { argumentsOf } from "../arguments.ts";
import type { Call, Outcome } from "../call.ts";

/** Problems told; the rest is counted. */
const MAX_TOLD = 10;
const MAX_PATH = 200;
const MAX_MESSAGE = 300;

export function validate(call: Call): Outcome | undefined {
  const { config, validators } = call.world;
  if (!config.catalog.validate_arguments) return undefined;
  const target = call.target as Target;
  const problems = validators.problems(target, argumentsOf(call.params, target) ?? {});
  if (problems.length === 0) return undefined;
  const error = rejected(target, problems);
  if (!answersAsResult(call)) throw error;
  const result = { content: [{ type: "text", text: error.message }], isError: true };
  return { kind: "result", result: ownResult(call, result), rejected: error };
}

/** SEP-1303: the model sees a result and can correct itself, a protocol error it may never see. */
function answersAsResult({ world, caller }: Call): boolean {
  const { validation_error: wanted } = world.config.catalog;
  return wanted === "auto" ? revisionOf(caller.revision).argumentResults : wanted === "result";
}

function rejected({ exposed, backend }: Target, problems: readonly Problem[]): SentinelError {
  const told = problems.slice(0, MAX_TOLD).map(({ path, message }) => ({
    path: printable(path, MAX_PATH),
    message: printable(message, MAX_MESSAGE),
  }));
  const lines = told.map(({ path, message }) => `- ${path}: ${message}`);
  const more = problems.length - told.length;
  if (more > 0) lines.push(`- and ${more} more`);
  const message =
    `The arguments do not fit the schema of tool "${exposed}", nothing was executed. ` +
    `Correct them and call again:\n${lines.join("\n")}`;
  return new SentinelError("ARGUMENTS_REJECTED", message, {
    backend,
    executed: "no",
    more: { problems: told },
  });
}
