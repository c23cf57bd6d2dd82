/**
 * What the build works out beforehand, so that help and the completion of commands need nothing else of the
 * program: to load and build the tree of commands takes several times as long as a runtime does to start.
 */

export interface Prepared {
  /** Lines of the help, not wrapped. */
  readonly help: readonly string[];
  /** Where descriptions of options and commands begin in them. */
  readonly hang: number;
  /** What follows, as it is. */
  readonly afterHelp: string;
  readonly commands: readonly PreparedCommand[];
}

/** As in `tools list`; whether it takes arguments, and so may complete more than names of commands. */
export type PreparedCommand = readonly [path: string, description: string, hasArguments: boolean];

/** The build puts it here; from source there is none. */
export const PREPARED: Prepared | undefined = undefined;
