/** Which commands reach a gateway: only they take `--profile` and `--timeout`. */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";

const targeted = new WeakSet<object>();
const timed = new WeakSet<object>();

/** Marks a command that takes `--profile` and `--timeout`. */
export function takesProfile(command: CommandUnknownOpts): void {
  targeted.add(command);
  timed.add(command);
}

/** Whether a command talks to a gateway that may be chosen. */
export function reachesGateway(command: CommandUnknownOpts): boolean {
  return targeted.has(command);
}

/** Marks a command that takes `--timeout`. */
export function takesTimeout<Of extends CommandUnknownOpts>(command: Of): Of {
  timed.add(command);
  return command;
}

/** Refuses an option that the command would ignore. */
export function checkReach(command: CommandUnknownOpts): void {
  const { profile, timeout } = command.optsWithGlobals();
  const ignored = profile !== undefined && !targeted.has(command)
    ? "--profile"
    : timeout !== undefined && !timed.has(command)
    ? "--timeout"
    : undefined;
  if (ignored !== undefined) {
    command.error(`error: '${command.name()}' talks to no gateway, so it takes no '${ignored}'`);
  }
}
