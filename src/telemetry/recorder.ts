import type { Series } from "../ports/telemetry.ts";

/** An observation that can be looked up: the ids of its request and of its trace, and its value. */
export interface Exemplar {
  readonly request: string;
  /** W3C trace id; undefined when no trace of it is kept. */
  readonly trace: string | undefined;
  readonly value: number;
}

/** What a series holds: a plain number, or a distribution. */
export interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  /** Sum of the observations, for histograms. */
  readonly value: number;
  /** Observations per bucket (not cumulative; the last one is +Inf); empty unless a histogram. */
  readonly counts: readonly number[];
  /** The last exemplar of a bucket. */
  exemplar(bucket: number): Exemplar | undefined;
}

export class Recorder implements Series, Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: number[];
  readonly #bounds: readonly number[];
  readonly #requests: (string | undefined)[];
  readonly #traces: (string | undefined)[];
  readonly #values: number[];
  value = 0;
  /** Who else is told of each observation. */
  mirror: ((value: number) => void) | undefined = undefined;

  constructor(labels: Readonly<Record<string, string>>, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    const size = bounds.length === 0 ? 0 : bounds.length + 1;
    this.counts = new Array<number>(size).fill(0);
    this.#requests = new Array<string | undefined>(size).fill(undefined);
    this.#traces = new Array<string | undefined>(size).fill(undefined);
    this.#values = new Array<number>(size).fill(0);
  }

  add(value: number): void {
    this.value += value;
  }

  set(value: number): void {
    this.value = value;
  }

  observe(value: number, request?: string, trace?: string): void {
    this.value += value;
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] as number)) bucket++;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.mirror?.(value);
    if (request === undefined) return;
    this.#requests[bucket] = request;
    this.#traces[bucket] = trace;
    this.#values[bucket] = value;
  }

  exemplar(bucket: number): Exemplar | undefined {
    const request = this.#requests[bucket];
    if (request === undefined) return undefined;
    return { request, trace: this.#traces[bucket], value: this.#values[bucket] as number };
  }
}
