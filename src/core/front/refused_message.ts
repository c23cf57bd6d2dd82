import { asSentinelError, type SentinelError } from "../../contract/mod.ts";

/** A request that is refused before there is a call for it; its sender is told by the id it gave. */
export class RefusedMessage extends Error {
  readonly error: SentinelError;
  /** JSON text of the request's id. */
  readonly id: string;

  constructor(cause: unknown, id: string) {
    const error = asSentinelError(cause);
    super(error.message, { cause: error });
    this.name = "RefusedMessage";
    this.error = error;
    this.id = id;
  }
}
