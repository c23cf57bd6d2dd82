/** Acts of operators: one at a time, each in the journal before and after, repeatable without harm. */
import { uuidv7 } from "uuidv7";
import {
  asSentinelError,
  type ErrorName,
  type Operation,
  type OperationKind,
  type OperationOutcome,
  SentinelError,
} from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Journal, JournalEntry } from "../../ports/journal.ts";
import type { Log } from "../../ports/log.ts";
import type { Act } from "./control.ts";

/** Operations that may wait for the one under way. */
const MAX_WAITING = 256;
/** Answers kept for repetitions, and for how long. */
const MAX_ANSWERS = 1000;
const ANSWER_MS = 10 * 60_000;

/** Refusals that are the caller's affair; everything else is a failure. */
const REJECTIONS: ReadonlySet<ErrorName> = new Set([
  "CONFIG_INVALID",
  "CONFLICT",
  "INVALID_PARAMS",
  "NOT_FOUND",
  "OPERATION_DISABLED",
  "OVERLOADED",
  "STOPPING",
]);

export interface OperationRequest {
  readonly operation: OperationKind;
  readonly target?: string;
  readonly reason?: string;
  readonly act: Act;
}

/** What an act came to. */
export interface Done<Extra> {
  readonly outcome: OperationOutcome;
  readonly problems?: readonly string[];
  /** Members of the answer beside those of every operation. */
  readonly more: Extra;
}

export interface OperationsOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly log: Log;
  /** Revision of the gateway now. */
  readonly revision: () => number;
}

type Intent = Extract<JournalEntry, { kind: "operation.intent" }>["operation"];

interface Kept {
  readonly fingerprint: string;
  /** The answer, or its promise; a refusal is kept too. */
  readonly answer: () => unknown;
  readonly until: number;
}

export class Operations {
  readonly #options: OperationsOptions;
  /** By actor and key, oldest first. */
  readonly #kept = new Map<string, Kept>();
  /** Resolves when the operation under way and those before it in the queue are over. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /** An act that takes no time: it never waits for one that does. */
  now<Extra extends object>(
    request: OperationRequest,
    run: () => Done<Extra>,
  ): Operation & Extra {
    const known = this.#known(request);
    if (known !== undefined) return known.answer() as Operation & Extra;
    const answer = settled(() => this.#perform(request, run));
    this.#keep(request, answer);
    return answer();
  }

  /** An act that takes effect at once, as `now`, and whose answer takes a moment. */
  async prompt<Extra extends object>(
    request: OperationRequest,
    run: () => Promise<Done<Extra>>,
  ): Promise<Operation & Extra> {
    const known = this.#known(request);
    if (known !== undefined) return await (known.answer() as Promise<Operation & Extra>);
    const running = this.#performLater(request, run);
    this.#keep(request, () => running);
    return await running;
  }

  /** An act that waits for its turn. */
  async queued<Extra extends object>(
    request: OperationRequest,
    run: () => Promise<Done<Extra>>,
  ): Promise<Operation & Extra> {
    const known = this.#known(request);
    if (known !== undefined) return await (known.answer() as Promise<Operation & Extra>);
    if (this.#waiting >= MAX_WAITING) throw this.#full();
    this.#waiting++;
    const turn = this.#last;
    const running = turn.then(() => this.#performLater(request, run))
      .finally(() => void this.#waiting--);
    this.#last = running.catch(() => {});
    this.#keep(request, () => running);
    return await running;
  }

  #perform<Extra extends object>(
    request: OperationRequest,
    run: () => Done<Extra>,
  ): Operation & Extra {
    const begun = this.#begin(request);
    try {
      return this.#end(begun, run());
    } catch (cause) {
      throw this.#fail(begun, cause);
    }
  }

  async #performLater<Extra extends object>(
    request: OperationRequest,
    run: () => Promise<Done<Extra>>,
  ): Promise<Operation & Extra> {
    const begun = this.#begin(request);
    try {
      return this.#end(begun, await run());
    } catch (cause) {
      throw this.#fail(begun, cause);
    }
  }

  #begin({ operation, target, reason, act }: OperationRequest): Begun {
    const { clock, revision, journal } = this.#options;
    const intent: Intent = {
      id: uuidv7(),
      operation,
      actor: act.actor,
      before: revision(),
      ...(target === undefined ? {} : { target }),
      ...(reason === undefined ? {} : { reason }),
    };
    const at = new Date(clock.now()).toISOString();
    try {
      journal.append({ kind: "operation.intent", at, operation: intent });
    } catch (cause) {
      throw new SentinelError(
        "AUDIT_UNAVAILABLE",
        `Cannot ${operation}: the journal cannot be written`,
        { reason: String(cause) },
        cause,
      );
    }
    return { intent, at, startedAt: clock.monotonic() };
  }

  #end<Extra extends object>(begun: Begun, done: Done<Extra>): Operation & Extra {
    const { outcome, problems = [], more } = done;
    const operation = this.#record(begun, outcome, problems);
    return { ...operation, ...more };
  }

  #fail(begun: Begun, cause: unknown): SentinelError {
    const error = asSentinelError(cause);
    const outcome = REJECTIONS.has(error.code) ? "rejected" : "failed";
    const { reason } = error.details;
    const told = reason === undefined ? error.message : `${error.message}: ${reason}`;
    this.#record(begun, outcome, [error.code === "INTERNAL" ? String(error.cause) : told]);
    return error;
  }

  #record(
    { intent, at, startedAt }: Begun,
    outcome: OperationOutcome,
    problems: readonly string[],
  ): Operation {
    const { clock, journal, log, revision } = this.#options;
    const { id, operation, target, reason, actor, before } = intent;
    const record: Operation = {
      operation,
      id,
      outcome,
      ...(target === undefined ? {} : { target }),
      ...(reason === undefined ? {} : { reason }),
      actor,
      before,
      revision: revision(),
      at,
      durationMs: Math.round(clock.monotonic() - startedAt),
      ...(problems.length === 0 ? {} : { problems: [...problems] }),
    };
    try {
      const now = new Date(clock.now()).toISOString();
      journal.append({ kind: "operation.outcome", at: now, operation: record });
    } catch (cause) {
      // It has happened: saying so is all that is left.
      log.write("state.failed", { store: "journal", reason: String(cause) });
    }
    log.write("operation.finished", { ...record });
    return record;
  }

  #known(request: OperationRequest): Kept | undefined {
    const key = keyOf(request.act);
    const kept = key === undefined ? undefined : this.#kept.get(key);
    if (kept === undefined || kept.until <= this.#options.clock.monotonic()) return undefined;
    if (kept.fingerprint === fingerprintOf(request)) return kept;
    throw new SentinelError(
      "CONFLICT",
      `Cannot ${request.operation}: the Idempotency-Key was used for another act`,
      { reason: "use a new key for each act" },
    );
  }

  #keep(request: OperationRequest, answer: () => unknown): void {
    const key = keyOf(request.act);
    if (key === undefined) return;
    const until = this.#options.clock.monotonic() + ANSWER_MS;
    this.#kept.delete(key);
    this.#kept.set(key, { fingerprint: fingerprintOf(request), answer, until });
    if (this.#kept.size <= MAX_ANSWERS) return;
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined) this.#kept.delete(oldest);
  }

  #full(): SentinelError {
    return new SentinelError("OVERLOADED", "Cannot take the operation: too many are waiting", {
      reason: `at most ${MAX_WAITING}`,
      retryAfterMs: 1000,
    });
  }
}

interface Begun {
  readonly intent: Intent;
  readonly at: string;
  /** Monotonic ms. */
  readonly startedAt: number;
}

/** Runs once; gives the same answer, or throws the same error, whenever it is asked. */
function settled<T>(run: () => T): () => T {
  try {
    const answer = run();
    return () => answer;
  } catch (cause) {
    return () => {
      throw cause;
    };
  }
}

function keyOf({ actor, key }: Act): string | undefined {
  return key === undefined ? undefined : `${actor.name}\n${key}`;
}

function fingerprintOf({ operation, target, reason }: OperationRequest): string {
  return JSON.stringify([operation, target, reason]);
}
