/** Exit codes; scripts rely on them. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  badConfig: 3,
  unsafe: 78,
  interrupted: 130,
  terminated: 143,
} as const;

/** Ends a command: the message and the hint go to stderr, the code to the shell. */
export class CommandFailed extends Error {
  readonly code: number;
  /** What to do about it; may be empty. */
  readonly hint: string;

  constructor(code: number, message: string, hint = "") {
    super(message);
    this.name = "CommandFailed";
    this.code = code;
    this.hint = hint;
  }
}
