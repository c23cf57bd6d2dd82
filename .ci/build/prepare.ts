/** Works out what `cli/prepared.ts` holds in a bundle. */
import completions from "@bomb.sh/tab";
import { addCompletion } from "../../cli/commands/completion.ts";
import type { Prepared } from "../../cli/prepared.ts";
import { createProgram } from "../../cli/program.ts";
import { systemIo } from "../../cli/io.ts";

/** No line of the help is longer. */
const UNWRAPPED = 10_000;
/** Spaces before the name of an option or command, and at least as many behind it. */
const INDENT = 2;

/** From the tree of commands as it is. */
export async function prepare(): Promise<Prepared> {
  let written = "";
  const system = systemIo();
  const write = (text: string) => void (written += text);
  const io = { ...system, out: { ...system.out, columns: UNWRAPPED, write } };
  const program = createProgram({ io, setCode: () => {}, completing: false });
  const body = program.helpInformation();
  program.outputHelp();
  const helper = program.createHelp();
  const full = createProgram({ io, setCode: () => {}, completing: true });
  await addCompletion(full, { io, argv: ["completion"] });
  return {
    help: body.split("\n"),
    hang: helper.padWidth(program, helper) + 2 * INDENT,
    afterHelp: written.slice(body.length),
    commands: Array.from(
      completions.commands,
      ([path, { description, arguments: taken }]) => [path, description, taken.size > 0],
    ),
  };
}
