/** A call's own time: waiting for a place and for a connection, all tries and the answer share it. */
import { SentinelError } from "../../../contract/mod.ts";
import type { Backend } from "../../backends/backend.ts";
import type { Link } from "../../backends/link.ts";
import type { Call } from "../call.ts";

/** Milliseconds that a call of the backend may take. */
export function callTimeMs({ world }: Call, { config }: Backend): number {
  return config.timeout ?? world.config.server.request_timeout;
}

/**
 * The link, when it is open within the time of the call; undefined when the call was cancelled or ended first.
 * Others may go on waiting for it.
 * @throws SentinelError BACKEND_TIMEOUT, or what the opening fails with
 */
export function inTime(
  call: Call,
  backend: Backend,
  opening: Promise<Link>,
): Promise<Link | undefined> {
  const { clock } = backend.guard;
  const { promise, resolve, reject } = Promise.withResolvers<Link | undefined>();
  let isOver = false;
  const end = () => {
    isOver = true;
    stop();
    call.onCancel(() => {});
  };
  const stop = clock.after(Math.max(0, call.deadline - clock.monotonic()), () => {
    end();
    reject(noLink(callTimeMs(call, backend), backend.name));
  });
  call.onCancel(() => {
    end();
    resolve(undefined);
  });
  const decide = (settle: () => void) => {
    // It was lent to a call that has ended meanwhile.
    if (isOver) return call.giveBack?.();
    end();
    settle();
  };
  opening.then(
    (link) => decide(() => resolve(link)),
    (cause) => decide(() => reject(cause)),
  );
  return promise;
}

function noLink(timeMs: number, backend: string): SentinelError {
  const message = `Cannot call backend "${backend}": no connection to it within ${timeMs} ms`;
  return new SentinelError("BACKEND_TIMEOUT", message, { backend, executed: "no" });
}

/** For a call that has waited so long that it is not even sent. */
export function overBefore(backend: string): SentinelError {
  const message = `Cannot call backend "${backend}": the time of the call was over before`;
  return new SentinelError("BACKEND_TIMEOUT", message, { backend, executed: "no" });
}

/** Names the backend in whatever failed. */
export function located(error: SentinelError, backend: string): SentinelError {
  if (error.details.backend !== undefined) return error;
  const details = { ...error.details, backend };
  return new SentinelError(
    error.code,
    `${error.message} (backend "${backend}")`,
    details,
    error.cause,
  );
}

/** What the opening of a link failed with, as the error of a call that was never sent. */
export function unsent(error: SentinelError, backend: string): SentinelError {
  const told = located(error, backend);
  if (told.details.executed === "no") return told;
  return new SentinelError(
    told.code,
    told.message,
    { ...told.details, executed: "no" },
    told.cause,
  );
}
