import tab from "@bomb.sh/tab/commander";
import type { Command } from "@commander-js/extra-typings";

/**
 * Adds `completion <shell>`, which prints a script, and the hidden `complete`, which the scripts call. Both
 * read the tree of commands, so it must be complete.
 */
export function addCompletion(program: Pick<Command, "name">): void {
  // The same class at run time; only its types differ between commander and extra-typings.
  tab(program as unknown as Parameters<typeof tab>[0], { completionCommandName: "completion" });
}
