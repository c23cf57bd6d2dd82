/** All commands of the program, for tests that hold for each of them. */
import { flat, type ShownCommand, treeOf } from "../../cli/man/tree.ts";
import { createProgram } from "../../cli/program.ts";

/** The commands that do something; those that only hold others are left out. */
export function allCommands(): readonly ShownCommand[] {
  const never = () => Promise.reject(new Error("the tree is only looked at"));
  const sink = {
    write: () => {},
    isTerminal: false,
    isOpen: true,
    drained: () => Promise.resolve(),
  };
  const program = createProgram({
    io: {
      out: sink,
      err: sink,
      env: {},
      cwd: "/",
      input: never,
      ask: undefined,
      clock: { now: () => 0, after: () => () => {} },
      onInterrupt: () => () => {},
      loadHost: never,
    },
    setCode: () => {},
    completing: false,
  });
  return flat(treeOf(program)).filter(({ path, commands }) => path !== "" && commands.length === 0);
}
