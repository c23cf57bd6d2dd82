import { CLI_OUTPUTS, type CliKind } from "../../src/contract/cli_outputs.ts";
import { suggest } from "../../src/contract/suggest.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Output } from "../output.ts";
import { outputSchema } from "../output_schema.ts";
import { visible } from "../text.ts";

/** Prints the JSON Schema of what `--json` prints. It is JSON by nature, so --json changes nothing. */
export function schema(output: Output, kind: string | undefined): number {
  if (kind !== undefined && !isKind(kind)) {
    const kinds = Object.keys(CLI_OUTPUTS);
    const near = suggest(kind, kinds);
    const hint = near === undefined ? `there are ${kinds.join(", ")}` : `did you mean ${near}?`;
    throw new CommandFailed(EXIT.usage, `nothing prints "${visible(kind)}"`, hint);
  }
  output.line(JSON.stringify(outputSchema(kind), null, 2));
  return EXIT.done;
}

function isKind(name: string): name is CliKind {
  return Object.hasOwn(CLI_OUTPUTS, name);
}
