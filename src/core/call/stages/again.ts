/** A request that failed, sent again where that is safe. */
import { asSentinelError, SentinelError } from "../../../contract/mod.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { Backend } from "../../backends/backend.ts";
import type { Call } from "../call.ts";
import { route } from "./route.ts";

/** Sends the call within its own time; gives why it failed. */
export type Send = () => Promise<SentinelError | undefined>;

/**
 * Sends the call again until it is answered or may not be sent any more.
 * @throws SentinelError the last failure; `executed` tells of all tries
 */
export async function sendAgain(
  call: Call,
  send: Send,
  first: SentinelError,
): Promise<undefined> {
  const { retries, clock } = (call.backend as Backend).guard;
  const executed = first.details.executed;
  let error: SentinelError | undefined = first;
  for (let attempts = 1; error !== undefined; attempts++) {
    const pauseMs = retries.pause(call, { error, attempts, deadline: call.deadline });
    if (pauseMs === undefined) throw told(call, error, executed);
    call.decided(`sent again after ${error.code}, executed ${error.details.executed ?? "unknown"}`);
    await pause(call, clock, pauseMs);
    const era = call.link?.era;
    await reached(call, executed);
    // What was put into the words of one era is no request of the other.
    if (call.link?.era !== era) throw told(call, error, executed);
    error = await send();
  }
}

async function reached(call: Call, executed: SentinelError["details"]["executed"]): Promise<void> {
  try {
    if (call.cancelled === undefined && call.failure === undefined) await route(call);
  } catch (cause) {
    throw told(call, asSentinelError(cause), executed);
  }
  if (call.failure !== undefined) throw call.failure;
  if (call.cancelled !== undefined) throw cancelled();
}

/** What came later does not undo that the first try may have been executed. */
function told(
  call: Call,
  error: SentinelError,
  executed: SentinelError["details"]["executed"],
): SentinelError {
  if (call.failure !== undefined) return call.failure;
  if (executed === "no" || error.details.executed !== "no") return error;
  const details = { ...error.details, executed: "unknown" as const };
  return new SentinelError(error.code, error.message, details, error.cause);
}

/** Ends early when the call is cancelled. */
function pause(call: Call, clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const stop = clock.after(ms, resolve);
    call.onCancel(() => {
      stop();
      resolve();
    });
  });
}

/** Nobody hears it: the outcome of a cancelled call is that it is. */
function cancelled(): SentinelError {
  return new SentinelError("BACKEND_LOST", "Cannot send the call again: it was cancelled");
}
