/** Clients that are slow in every way at once, in a process of their own: what they cost is not the caller's. */
import { RunningProgram } from "../../support/running_program.ts";
import { commandOf } from "../../support/runtime.ts";
import type { Kind, Large } from "./connection.ts";

export interface SlowCrowdOptions {
  /** MCP endpoint. */
  readonly url: string;
  /** Connections of each kind; what the gateway closes of those that send is opened again. */
  readonly each: number;
  /** Of each kind, opened in a second. */
  readonly perSecond: number;
  readonly large: Large;
}

/** What became of the connections of one kind; times in milliseconds since a connection was there. */
export interface Fate {
  /** At once, the median of what was counted every two seconds since all were there. */
  readonly standing: number;
  readonly opened: number;
  /** Those the gateway closed, and the time until it did. */
  readonly closed: Times;
  /** Those that were told with 408 that they are too slow. */
  readonly told: Times;
  /** Age of the oldest that was open at the end, and of the oldest that was told nothing; 0 for none. */
  readonly oldestMs: number;
  readonly oldestUntoldMs: number;
  /** Readers whose answer was a stream. */
  readonly streamed: number;
  /** Readers whose answer did not begin as theirs has to, and what began instead for one of them. */
  readonly wrong: number;
  readonly wrongly?: string;
}

/** 0 where there were none. */
export interface Times {
  readonly count: number;
  readonly median: number;
  readonly most: number;
}

export type Fates = Readonly<Record<Kind, Fate>>;

export class SlowCrowd {
  readonly #program: RunningProgram;

  private constructor(program: RunningProgram) {
    this.#program = program;
  }

  /** On Node, which reads as little as it is told to. */
  static start(options: SlowCrowdOptions): SlowCrowd {
    const args = [JSON.stringify(options)];
    return new SlowCrowd(
      new RunningProgram(commandOf("tests/proofs/slow/crowd_process.ts", args, "node")),
    );
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Resolves when each of them was opened. @throws Error when they are not within `ms` */
  async areThere(ms: number): Promise<void> {
    await this.#program.printed(/^all are there$/m, ms);
  }

  /** All of them go away at once. @throws Error when their process does not tell what became of them */
  async leave(): Promise<Fates> {
    await this.#program.stop();
    const [, fates = ""] = await this.#program.printed(/^fates (.*)$/m);
    return JSON.parse(fates) as Fates;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.kill();
  }
}
