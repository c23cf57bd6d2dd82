/** How the core comes to rest, in the order the host asks for: nothing is cut off without being told. */
import type { Intake } from "../front/intake.ts";
import type { Session } from "../session/session.ts";
import type { Runtime } from "./runtime.ts";

export interface DrainOptions {
  readonly runtime: Runtime;
  readonly intake: Intake;
}

/** Each step does what those before it do, too; all are idempotent. */
export class Drain {
  readonly #options: DrainOptions;

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  /** `/ready` says so; requests are still served, each answer ends its connection. */
  begin(): void {
    this.#options.intake.isLeaving = true;
    this.#options.runtime.beginStop();
  }

  /** New requests are refused. Calls that wait for people end, as do streams of clients without a call. */
  refuse(): void {
    this.begin();
    const { intake, runtime } = this.#options;
    intake.isClosed = true;
    runtime.endWaiting();
    for (const session of runtime.sessions) {
      if (session.load.inFlight === 0) dismissStreams(session);
    }
  }

  /** Every call that is left is answered with STOPPING. */
  endCalls(): void {
    this.refuse();
    this.#options.runtime.running.end();
  }

  /** The last streams end; who comes back finds the session where it is kept. */
  dismiss(): void {
    for (const session of this.#options.runtime.sessions) dismissStreams(session);
  }
}

function dismissStreams({ streams }: Session): void {
  for (const stream of streams.values()) stream.dismiss();
}
