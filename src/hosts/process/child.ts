/** A child in a process group of its own, behind the port's `Child`. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Readable } from "node:stream";
import type { Child, ChildExit, Exceeded } from "../../ports/process.ts";
import { groupRuns, signalGroup } from "./signal_group.ts";

/** Between two looks at a group whose leader has gone. */
const GROUP_LOOK_MS = 50;
/** Pipes that a process outside of the group holds open are given up after this long. */
const OPEN_PIPES_MS = 1000;

/** The group of a started process; the process leads it. */
export class GroupChild implements Child {
  readonly pid: number;
  readonly output: AsyncIterable<Uint8Array>;
  readonly errors: AsyncIterable<Uint8Array>;
  readonly exited: Promise<ChildExit>;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #resolve: (exit: ChildExit) => void;
  #asked: "SIGTERM" | "SIGKILL" | undefined;
  #exceeded: Exceeded | undefined;
  /** Set while the leader has gone and the rest of its group is given time. */
  #leaderExit: ChildExit | undefined;
  #looking: ReturnType<typeof setInterval> | undefined;
  #ended = false;

  constructor(process: ChildProcessWithoutNullStreams, pid: number) {
    this.pid = pid;
    this.#process = process;
    this.output = chunks(process.stdout);
    this.errors = chunks(process.stderr);
    const { promise, resolve } = Promise.withResolvers<ChildExit>();
    this.exited = promise;
    this.#resolve = resolve;
    process.once("exit", (code, signal) => this.#leaderExited(toExit(code, signal)));
    // After the start: a failed signal, which "exit" makes irrelevant.
    process.on("error", () => {});
    // EPIPE of a child that has gone or closed its stdin; the port says such bytes are lost.
    process.stdin.on("error", () => {});
  }

  write(text: string): void | Promise<void> {
    const { stdin } = this.#process;
    if (!stdin.writable || stdin.write(text)) return;
    return new Promise((resolve) => {
      const done = () => {
        stdin.off("drain", done);
        stdin.off("close", done);
        resolve();
      };
      stdin.on("drain", done);
      stdin.on("close", done);
    });
  }

  end(): void {
    this.#process.stdin.end();
  }

  kill(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.#ended) return;
    this.#asked = signal;
    signalGroup(this.pid, signal);
    if (signal === "SIGKILL" && this.#leaderExit !== undefined) this.#end(this.#leaderExit);
  }

  /** It used more than it may: ends the group, and says so in its exit. */
  exceed(exceeded: Exceeded): void {
    if (this.#ended) return;
    this.#exceeded = exceeded;
    this.kill("SIGKILL");
  }

  #leaderExited(exit: ChildExit): void {
    if (this.#asked !== "SIGTERM") return this.#end(exit);
    // The others were asked as well and get the same time, which SIGKILL ends.
    this.#leaderExit = exit;
    const look = () => {
      if (!groupRuns(this.pid)) this.#end(exit);
    };
    this.#looking = setInterval(look, GROUP_LOOK_MS);
    look();
  }

  #end(exit: ChildExit): void {
    this.#ended = true;
    clearInterval(this.#looking);
    // Now, while the group's number cannot belong to anybody else yet.
    signalGroup(this.pid, "SIGKILL");
    this.#closePipes();
    this.#resolve(this.#exceeded === undefined ? exit : { ...exit, exceeded: this.#exceeded });
  }

  #closePipes(): void {
    const { stdin, stdout, stderr } = this.#process;
    stdin.destroy();
    const timer = setTimeout(() => {
      stdout.destroy();
      stderr.destroy();
    }, OPEN_PIPES_MS);
    timer.unref();
    this.#process.once("close", () => clearTimeout(timer));
  }
}

/** A child that never was. */
export class FailedChild implements Child {
  readonly pid = undefined;
  readonly output = nothing();
  readonly errors = nothing();
  readonly exited: Promise<ChildExit>;

  constructor(failure: string | Promise<string>) {
    this.exited = Promise.resolve(failure).then((reason) => ({ failure: reason }));
  }

  write(): void {}

  end(): void {}

  kill(): void {}
}

function toExit(code: number | null, signal: string | null): ChildExit {
  if (signal !== null) return { signal };
  return code === null ? {} : { code };
}

/** The chunks of a pipe; not a generator, which would cost each of them several more turns. */
function chunks(stream: Readable): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const chunks: AsyncIterator<Uint8Array> = stream[Symbol.asyncIterator]();
      // Destroyed before its end: what the port calls closed.
      return { next: () => chunks.next().catch(() => ({ done: true, value: undefined })) };
    },
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
