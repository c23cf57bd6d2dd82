/** Asks before something is changed. */
import { CommandFailed, EXIT } from "./exit.ts";
import type { Io } from "./io.ts";
import type { Target } from "./target.ts";

interface Confirmation {
  readonly io: Io;
  readonly options: { readonly yes?: true };
  readonly target: Target;
  /** What will happen, as a clause: `end all calls to "x"`. */
  readonly act: string;
  /** Asks also where the gateway is none of production. */
  readonly always: boolean;
}

/**
 * Returns when the act may be done: `--yes` was given, nobody is there to ask, or the person agreed.
 * On a production profile the person types its name, and without a person `--yes` is needed.
 * @throws CommandFailed otherwise; nothing was changed
 */
export async function confirm({ io, options, target, act, always }: Confirmation): Promise<void> {
  const { name, production } = target;
  if (options.yes === true || (!always && !production)) return;
  if (io.ask === undefined) {
    if (!production) return;
    const message = `"${name}" is a production profile, and nobody is here to ask`;
    throw new CommandFailed(EXIT.usage, message, "--yes does it without asking");
  }
  const question = production
    ? `${act} on ${name}. Type ${name} to continue: `
    : `${act} on ${name}? [y/N] `;
  const answer = (await io.ask(question)).trim();
  if (production ? answer === name : /^y(es)?$/i.test(answer)) return;
  throw new CommandFailed(EXIT.failed, "nothing was changed");
}
