/** The wire to a child process: one JSON-RPC message per line (protocol.md 2.1). */
import { asSentinelError, SentinelError } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Child, ChildExit, Spawner, SpawnOptions } from "../../ports/process.ts";
import { decode } from "../mcp/codec.ts";
import type { Frame } from "../mcp/message.ts";
import { LineFramer } from "../mcp/line_framer.ts";
import { exitWords } from "./exit_words.ts";
import { idFirst, idLast } from "./oversized.ts";
import { Pace } from "./pace.ts";
import { printable } from "./printable.ts";
import type { StderrRing } from "./stderr_ring.ts";
import { StdinQueue } from "./stdin_queue.ts";
import { settles, stopChild } from "./stop_child.ts";
import type { OpenWire, Wire, WireEvents } from "./wire.ts";

/** Lines in a row that are no messages, after which the child is given up. */
const MAX_INVALID = 50;
const SAMPLE_LENGTH = 200;
/** What a child wrote just before its end is still read while it comes, in steps of this length. */
const DRAIN_STEP_MS = 50;
const DRAIN_STEPS = 10;
/** The end of stdout mostly announces the end of the process. */
const EXIT_AFTER_OUTPUT_MS = 50;
/** Lines of stderr in the error of a child that ended, and their characters in all. */
const REASON_LINES = 20;
const REASON_LENGTH = 2000;
/** Of stderr, read in a second; a child that writes more waits for its own pipe. */
const ERRORS_PER_SECOND = 16_777_216;

export interface StdioWireOptions {
  readonly spawner: Spawner;
  readonly spawn: SpawnOptions;
  readonly clock: Clock;
  /** Takes what the child writes to stderr; it may outlive the wire. */
  readonly stderr: StderrRing;
  /** `limits.output_line`: a longer line is dropped, and the request it answers fails. */
  readonly maxLineBytes: number;
  /** `stop.grace`: time between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  readonly onStart?: (pid: number) => void;
  /** `asked`: it was told to end, before it was lost. */
  readonly onExit?: (exit: ChildExit, asked: boolean) => void;
}

/** Starts the child when it is called; a child that cannot be started is a wire that closes. */
export function openStdioWire(options: StdioWireOptions): OpenWire {
  return (events) => new StdioWire(options, events);
}

class StdioWire implements Wire {
  readonly #options: StdioWireOptions;
  readonly #events: WireEvents;
  readonly #child: Child;
  readonly #queue: StdinQueue;
  /** Lines of stderr before this child. */
  readonly #earlierLines: number;
  readonly #finished: Promise<void>;
  readonly #pace: Pace;
  #chunks = 0;
  #invalidInRow = 0;
  #lost: SentinelError | undefined;
  #asked = false;
  #closing: Promise<void> | undefined;

  constructor(options: StdioWireOptions, events: WireEvents) {
    this.#options = options;
    this.#events = events;
    this.#earlierLines = options.stderr.lines;
    this.#pace = new Pace(options.clock, ERRORS_PER_SECOND);
    const child = this.#child = options.spawner.spawn(options.spawn);
    if (child.pid !== undefined) options.onStart?.(child.pid);
    this.#queue = new StdinQueue({
      write: (text) => child.write(text),
      overflow: () => this.#lose(this.#failure("BACKEND_LOST", "it does not read its input")),
    });
    this.#finished = this.#finish(this.#readOutput(), this.#readErrors());
  }

  send(text: string, request?: number): void {
    if (this.#lost === undefined) this.#queue.add(text, request);
    else if (request !== undefined) this.#refuse(request, this.#lost);
  }

  established(): void {}

  forget(): void {}

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#asked = this.#lost === undefined;
    this.#queue.flush();
    const gone = await stopChild(this.#child, this.#options.clock, this.#options.graceMs);
    if (gone) return await this.#finished;
    this.#lose(this.#failure("BACKEND_LOST", "it could not be stopped"));
  }

  /** Reports the end of the child, after what it said last. */
  async #finish(output: Promise<void>, errors: Promise<void>): Promise<void> {
    const exit = await this.#child.exited;
    this.#pace.release();
    await this.#drain(Promise.all([output, errors]));
    this.#options.stderr.end();
    this.#options.onExit?.(exit, this.#asked);
    this.#lose(this.#exitError(exit));
  }

  /** Others may hold the pipes open: waits for their end only as long as something comes. */
  async #drain(ended: Promise<unknown>): Promise<void> {
    for (let step = 0; step < DRAIN_STEPS; step++) {
      const before = this.#chunks;
      if (await settles(ended, DRAIN_STEP_MS, this.#options.clock)) return;
      if (this.#chunks === before) return;
    }
  }

  async #readOutput(): Promise<void> {
    let head = "";
    const framer = new LineFramer(this.#options.maxLineBytes, {
      line: (text) => this.#line(text),
      undecodable: (sample) => this.#invalid(sample),
      overflow: (start) => this.#oversized(head = start, idFirst(start)),
      dropped: (tail) => this.#unanswered(idLast(head, tail)),
    });
    try {
      for await (const chunk of this.#child.output) {
        this.#chunks++;
        framer.push(chunk);
      }
      framer.end();
    } catch (thrown) {
      this.#lose(asSentinelError(thrown));
    }
    void this.#outputEnded();
  }

  async #outputEnded(): Promise<void> {
    if (await settles(this.#child.exited, EXIT_AFTER_OUTPUT_MS, this.#options.clock)) return;
    this.#lose(this.#failure("BACKEND_LOST", "it closed its output"));
  }

  async #readErrors(): Promise<void> {
    for await (const chunk of this.#child.errors) {
      this.#chunks++;
      this.#options.stderr.push(chunk);
      const pause = this.#pace.take(chunk.length);
      if (pause !== undefined) await pause;
    }
  }

  #line(text: string): void {
    if (this.#lost !== undefined || text.trim() === "") return;
    let frame: Frame;
    try {
      frame = decode(text);
    } catch (thrown) {
      if (!(thrown instanceof SentinelError)) throw thrown;
      return this.#invalid(text);
    }
    this.#invalidInRow = 0;
    for (const message of frame.messages) this.#events.message(message);
  }

  #invalid(text: string): void {
    if (this.#lost !== undefined) return;
    this.#events.invalid(printable(text, SAMPLE_LENGTH));
    if (++this.#invalidInRow <= MAX_INVALID) return;
    this.#lose(
      this.#failure("BACKEND_PROTOCOL", `${this.#invalidInRow} lines in a row are no messages`),
    );
  }

  #oversized(head: string, request: number | undefined): void {
    this.#invalid(head);
    this.#unanswered(request);
  }

  #unanswered(request: number | undefined): void {
    if (request === undefined || this.#lost !== undefined) return;
    const reason = `the answer is longer than ${this.#options.maxLineBytes} bytes`;
    this.#events.failed(request, this.#failure("BACKEND_PROTOCOL", reason));
  }

  /** Ends the wire, once; the child is stopped if it still runs. */
  #lose(error: SentinelError): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    for (const request of this.#queue.abandon()) this.#refuse(request, error);
    this.#events.closed(error);
    void this.close();
  }

  /** A request that never reached the process. */
  #refuse(request: number, { details, message }: SentinelError): void {
    const backend = this.#options.spawn.name;
    const { reason = message } = details;
    const refusal = `Cannot reach backend "${backend}": its process is gone`;
    this.#events.failed(
      request,
      new SentinelError("BACKEND_LOST", refusal, { backend, executed: "no", reason }),
    );
  }

  #failure(code: "BACKEND_LOST" | "BACKEND_PROTOCOL", reason: string): SentinelError {
    const backend = this.#options.spawn.name;
    const message = `Cannot reach backend "${backend}": ${reason}`;
    const details = { backend, executed: "unknown", reason: this.#withErrors(reason) } as const;
    return new SentinelError(code, message, details);
  }

  #exitError(exit: ChildExit): SentinelError {
    const backend = this.#options.spawn.name;
    if (exit.failure !== undefined) {
      const message = `Cannot start backend "${backend}": ${exit.failure}`;
      return new SentinelError("BACKEND_LOST", message, {
        backend,
        executed: "no",
        reason: exit.failure,
      });
    }
    const how = this.#closing === undefined ? "its process ended" : "it was stopped";
    const message = `Cannot reach backend "${backend}": ${how}`;
    const details = {
      backend,
      executed: "unknown",
      reason: this.#withErrors(exitWords(exit)),
    } as const;
    return new SentinelError("BACKEND_LOST", message, details);
  }

  /** What happened, and what this process wrote last to stderr. */
  #withErrors(what: string): string {
    const { stderr } = this.#options;
    const own = Math.min(REASON_LINES, stderr.lines - this.#earlierLines);
    const said = stderr.tail(own).filter((line) => line.trim() !== "").join(" | ");
    return said === "" ? what : `${what}; stderr: ${said.slice(-REASON_LENGTH)}`;
  }
}
