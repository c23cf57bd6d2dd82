/** The tree of commands. */
import { addActing } from "./program/acting.ts";
import { addAsking } from "./program/asking.ts";
import { addCalls } from "./program/calls.ts";
import { addConnecting } from "./program/connecting.ts";
import { addDiagnosing } from "./program/diagnosing.ts";
import { addImporting } from "./program/importing.ts";
import { addLocal, addOthers } from "./program/local.ts";
import { addProfile } from "./program/profile.ts";
import { checkReach } from "./program/reach.ts";
import { addAudit, addToken } from "./program/recording.ts";
import { type Context, createRoot, type Root } from "./program/root.ts";
import { addRunning } from "./program/running.ts";
import { addWatching } from "./program/watching.ts";

interface ProgramOptions extends Context {
  /** True when the real `completion` is added afterwards: it needs the finished tree. */
  readonly completing: boolean;
}

/** The program for one command line. */
export function createProgram({ completing, ...context }: ProgramOptions): Root {
  const program = createRoot(context.io);
  addRunning(program, context);
  addLocal(program, context);
  addImporting(program, context);
  addAsking(program, context);
  addConnecting(program, context);
  addDiagnosing(program, context);
  addWatching(program, context);
  addCalls(program, context);
  addAudit(program, context);
  addActing(program, context);
  addProfile(program, context);
  addOthers(program, context);
  addToken(program, context);
  program.hook("preAction", (_root, command) => checkReach(command));
  if (!completing) {
    program.command("completion").argument("<shell>")
      .description("print a completion script for bash, zsh, fish or powershell");
  }
  return program;
}
