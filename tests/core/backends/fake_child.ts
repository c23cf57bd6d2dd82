import type { Child, ChildExit, Spawner } from "../../../src/ports/process.ts";

/** A stream of bytes the test feeds by hand. */
class Feed implements AsyncIterable<Uint8Array> {
  readonly #chunks: Uint8Array[] = [];
  #ended = false;
  #wake: () => void = () => {};

  push(text: string): void {
    this.#chunks.push(new TextEncoder().encode(text));
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) yield chunk;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}

/** A child in memory, for what depends on time; everything it is told is in `heard`. */
export class FakeChild implements Child {
  pid: number | undefined = 4711;
  readonly output = new Feed();
  readonly errors = new Feed();
  readonly heard: string[] = [];
  readonly exited: Promise<ChildExit>;
  /** Set by the test: the pipe is full until this resolves. */
  full: Promise<void> | undefined;
  readonly #exit: (exit: ChildExit) => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<ChildExit>();
    this.exited = promise;
    this.#exit = resolve;
  }

  write(text: string): void | Promise<void> {
    this.heard.push(text);
    return this.full;
  }

  end(): void {
    this.heard.push("end");
  }

  kill(signal: "SIGTERM" | "SIGKILL"): void {
    this.heard.push(signal);
  }

  /** The process ends; its pipes do too, unless others hold them open. */
  exit(exit: ChildExit, pipes: "closed" | "open" = "closed"): void {
    if (pipes === "closed") {
      this.output.end();
      this.errors.end();
    }
    this.#exit(exit);
  }
}

/** Gives out one child. */
export function spawnerOf(child: Child): Spawner {
  return { spawn: () => child, inherited: () => undefined };
}
