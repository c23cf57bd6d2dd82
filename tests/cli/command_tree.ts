/** The tree of commands, only looked at: for the reference, and for tests that hold for each command. */
import { flat, type ShownCommand, treeOf } from "../../cli/man/tree.ts";
import { createProgram } from "../../cli/program.ts";

/** The commands that do something; those that only hold others are left out. */
export function allCommands(): readonly ShownCommand[] {
  return flat(treeOf(lookedAt())).filter(({ path, commands }) =>
    path !== "" && commands.length === 0
  );
}

/** The whole program; nothing of the world is asked for. */
export function lookedAt(): ReturnType<typeof createProgram> {
  const never = () => Promise.reject(new Error("the tree is only looked at"));
  const sink = {
    write: () => {},
    isTerminal: false,
    isOpen: true,
    drained: () => Promise.resolve(),
  };
  return createProgram({
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
}
