/** A run that cannot go on, or a target that does not behave; the message says what and where. */
export class BenchError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "BenchError";
  }
}
