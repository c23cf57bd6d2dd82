import tab from "@bomb.sh/tab/commander";
import type { Command } from "@commander-js/extra-typings";
import { valuesFor } from "../completion_values.ts";
import type { Io } from "../io.ts";

interface Completing {
  readonly io: Pick<Io, "env">;
  readonly argv: readonly string[];
}

type Tree = ReturnType<typeof tab>;

/**
 * Adds `completion <shell>`, which prints a script, and the hidden `complete`, which the scripts call. Both
 * read the tree of commands, so it must be complete. Values that only this machine knows are looked up when
 * the word to complete asks for them.
 */
export async function addCompletion(
  program: Pick<Command, "name">,
  { io, argv }: Completing,
): Promise<void> {
  // The same class at run time; only its types differ between commander and extra-typings.
  const tree = tab(program as unknown as Parameters<typeof tab>[0], {
    completionCommandName: "completion",
  });
  offerGlobalOptions(tree);
  if (argv[0] !== "complete") return;
  const words = argv.slice(argv.indexOf("--") + 1);
  for (const { command, place, values } of await valuesFor(words, io)) {
    const offer = (complete: (value: string, description: string) => void) => {
      for (const value of values) complete(value, "");
    };
    const of = command === undefined
      ? [...tree.commands.values(), tree]
      : [tree.commands.get(command)];
    for (const each of of) {
      const found = each?.arguments.get(place) ?? each?.options.get(place);
      if (found !== undefined) found.handler = offer;
    }
  }
}

/** Options of the program are those of every command, which the library does not know. */
function offerGlobalOptions({ options, commands }: Tree): void {
  for (const command of commands.values()) {
    for (const [name, option] of options) {
      if (!command.options.has(name) && name !== "version") command.options.set(name, option);
    }
  }
}
