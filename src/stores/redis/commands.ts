import type { Script } from "./script.ts";

/** What is asked of Redis, whichever way it goes there. */
export interface Commands {
  /** @throws Error the refusal of the server, or why there is no answer */
  run(args: readonly string[]): Promise<unknown>;
  /** Runs a script on one key. @throws as `run` */
  script(script: Script, key: string, args: readonly string[]): Promise<unknown>;
}

/** A server that may be away. */
export interface Server {
  /** Why it cannot be used now; undefined while it can. */
  readonly failure: string | undefined;
  /** How often it was lost. */
  readonly outages: number;
  /** @throws Error at once while it cannot be used, and what `work` throws */
  use<Result>(work: (commands: Commands) => Promise<Result>): Promise<Result>;
  close(): void;
}
