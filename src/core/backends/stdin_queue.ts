/**
 * Lines on their way to a child's stdin. Lines of one turn go out in one write (a fifth of the cost of
 * single writes in a burst), lines that come while the pipe is full wait and go out together.
 */

/** Characters that may wait for a child that does not read. */
const MAX_WAITING = 8_388_608;

export interface StdinQueueOptions {
  /** Writes to the pipe; a promise says the pipe is full until it resolves. */
  readonly write: (text: string) => void | Promise<void>;
  /** Too much waits: the child does not read any more. */
  readonly overflow: () => void;
}

export class StdinQueue {
  readonly #options: StdinQueueOptions;
  #text: string[] = [];
  #requests: number[] = [];
  #waiting = 0;
  #full = false;
  #scheduled = false;
  #abandoned = false;

  constructor(options: StdinQueueOptions) {
    this.#options = options;
  }

  /** `request` is named by `abandon` when the line never reached the pipe. */
  add(line: string, request?: number): void {
    if (this.#abandoned) return;
    this.#text.push(line, "\n");
    this.#waiting += line.length + 1;
    if (request !== undefined) this.#requests.push(request);
    if (!this.#full) this.#schedule();
    else if (this.#waiting > MAX_WAITING) this.#options.overflow();
  }

  /** Writes what waits, unless the pipe is full. */
  flush(): void {
    this.#scheduled = false;
    if (this.#full || this.#waiting === 0) return;
    const drained = this.#options.write(this.#take());
    if (drained === undefined) return;
    this.#full = true;
    const resume = () => {
      this.#full = false;
      this.flush();
    };
    drained.then(resume, resume);
  }

  /** Drops what waits, now and in the future; gives the requests that never reached the pipe. */
  abandon(): readonly number[] {
    this.#abandoned = true;
    const requests = this.#requests;
    this.#take();
    return requests;
  }

  #take(): string {
    const text = this.#text.join("");
    this.#text = [];
    this.#requests = [];
    this.#waiting = 0;
    return text;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.flush());
  }
}
