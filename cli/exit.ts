/** Exit codes; scripts rely on them. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  badConfig: 3,
  unreachable: 4,
  unauthorized: 5,
  unhealthy: 6,
  different: 7,
  unsafe: 78,
  interrupted: 130,
  terminated: 143,
} as const;

/** What a gateway said about a failure, beside the message. */
export interface FailureDetails {
  /** Stable name of the error table. */
  readonly error?: string;
  /** More about why. */
  readonly reason?: string;
  /** Id of the request, for its log. */
  readonly request?: string;
  readonly retryAfterMs?: number;
  /** Mistakes of a configuration, with line and column. */
  readonly issues?: readonly Readonly<Record<string, unknown>>[];
}

/** Ends a command: the message and the hint go to stderr, the code to the shell. */
export class CommandFailed extends Error {
  readonly code: number;
  /** What to do about it; may be empty. */
  readonly hint: string;
  readonly details: FailureDetails;

  constructor(code: number, message: string, hint = "", details: FailureDetails = {}) {
    super(message);
    this.name = "CommandFailed";
    this.code = code;
    this.hint = hint;
    this.details = details;
  }
}
