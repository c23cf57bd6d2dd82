/**
 * A shell that outlives a gateway killed with SIGKILL just long enough to kill the process groups of its
 * children: grandchildren (`npx` starts the server as one) are out of reach for the launcher. It waits on
 * a pipe whose other end only the gateway holds, and sleeps in the kernel meanwhile.
 */
import { type ChildProcess, spawn } from "node:child_process";

/** Groups as arguments, then `add N` and `drop N` on stdin, whose end means that the gateway is gone. */
const SCRIPT = `
trap '' HUP INT TERM
groups=" $* "
while read -r word group; do
  case "$word$groups" in
    add*) groups="$groups$group " ;;
    drop*" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
`;
/** A guard that ends while the gateway lives is replaced, but not for ever. */
const MAX_STARTS = 4;

export class Guard {
  readonly #groups = new Set<number>();
  readonly #onFailure: (reason: string) => void;
  #shell: ChildProcess | undefined;
  #starts = 0;
  #closed = false;

  /** `onFailure` is called when the guard cannot be started, and each time it ends by itself. */
  constructor(onFailure: (reason: string) => void) {
    this.#onFailure = onFailure;
  }

  /** The first group starts the guard. */
  add(group: number): void {
    this.#groups.add(group);
    if (this.#starts === 0) this.#start();
    else this.#tell(`add ${group}\n`);
  }

  drop(group: number): void {
    this.#groups.delete(group);
    this.#tell(`drop ${group}\n`);
  }

  /** Ends the guard, which kills the groups that are still there. */
  close(): void {
    this.#closed = true;
    this.#shell?.stdin?.end();
    this.#shell = undefined;
  }

  #start(): void {
    this.#starts++;
    const shell = startShell(this.#groups, (reason) => {
      const ran = this.#shell !== undefined;
      this.#shell = undefined;
      if (this.#closed) return;
      this.#onFailure(reason);
      if (ran && this.#starts < MAX_STARTS) this.#start();
    });
    this.#shell = shell;
  }

  #tell(line: string): void {
    this.#shell?.stdin?.write(line);
  }
}

/** Undefined when it cannot be started; `onEnd` is called in any case. */
function startShell(
  groups: Iterable<number>,
  onEnd: (reason: string) => void,
): ChildProcess | undefined {
  try {
    const shell = spawn("/bin/sh", ["-c", SCRIPT, "guard", ...Array.from(groups, String)], {
      // A session of its own: what a terminal sends to the gateway's group must not reach it.
      detached: true,
      cwd: "/",
      env: {},
      stdio: ["pipe", "ignore", "ignore"],
    });
    shell.once("error", (error) => onEnd(error.message));
    shell.once("exit", (code, signal) => onEnd(`it ended with ${signal ?? `exit code ${code}`}`));
    if (shell.pid === undefined) return undefined;
    // A guard that has gone says so with "exit".
    shell.stdin?.on("error", () => {});
    letExit(shell);
    return shell;
  } catch (error) {
    // Deno without permission to run a shell.
    queueMicrotask(() => onEnd(error instanceof Error ? error.message : "unknown"));
    return undefined;
  }
}

/** The guard alone must not keep the gateway running. */
function letExit(shell: ChildProcess): void {
  shell.unref();
  const { stdin } = shell;
  if (stdin !== null && "unref" in stdin && typeof stdin.unref === "function") stdin.unref();
}
