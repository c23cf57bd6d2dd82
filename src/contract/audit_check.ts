/**
 * Verification of the audit: the rows of each run are numbered without a gap and chained by hash, and the first
 * row of a run names runs before it with their last number, so that a tail that was cut off shows too.
 */
import * as v from "valibot";
import type { AuditRecord, AuditRun } from "./audit.ts";
import { chainHash, chainStart } from "./audit_chain.ts";

/** SHA-256 over UTF-8 as 64 hexadecimal digits. */
type Sha256 = (text: string) => string;

/** The first place of a run where something is wrong. */
export interface AuditBreak {
  readonly instance: string;
  /** Number of the row. */
  readonly sequence: number;
  readonly problem: string;
}

/** What is known of a run whose rows were looked at. */
export interface CheckedRun {
  readonly instance: string;
  /** Number of its last row, also when that was removed by retention. */
  readonly last: number;
  /** Rows that were looked at. */
  readonly rows: number;
  /** Of the last row; undefined without a chain. */
  readonly hash: string | undefined;
  readonly broken: AuditBreak | undefined;
}

/** A row as it was read. */
export interface CheckedRow {
  readonly record: AuditRecord;
  /** What its hash was taken over. */
  readonly text: string;
}

/** Looks at the rows of one run, which come by number. */
export class RunCheck {
  readonly #run: AuditRun;
  readonly #sha256: Sha256;
  #last: number;
  #hash: string;
  /** Rows seen so far are chained; undefined before the first. */
  #isChained: boolean | undefined;
  #rows = 0;
  #broken: AuditBreak | undefined;

  constructor(run: AuditRun, sha256: Sha256) {
    const { instance, trimmed } = run;
    this.#run = run;
    this.#sha256 = sha256;
    this.#last = trimmed?.sequence ?? 0;
    this.#hash = trimmed?.hash ?? chainStart(instance, sha256);
    this.#isChained = trimmed === undefined ? undefined : trimmed.hash !== "";
  }

  /** Number of the last row; rows after it are wanted next. */
  get last(): number {
    return this.#last;
  }

  /** @returns false when something is wrong: the rows behind prove nothing any more */
  add(row: CheckedRow): boolean {
    const problem = this.#problemOf(row);
    if (problem === undefined) {
      this.#last++;
      this.#rows++;
      this.#hash = row.record.hash ?? "";
      this.#isChained = row.record.hash !== undefined;
      return true;
    }
    const { instance } = this.#run;
    this.#broken = { instance, sequence: this.#last + 1, problem };
    return false;
  }

  /** After the last row there is. */
  end(): CheckedRun {
    const { instance, last } = this.#run;
    if (this.#broken === undefined && this.#last < last) {
      const problem = `rows up to ${last} were there a moment ago`;
      this.#broken = { instance, sequence: this.#last + 1, problem };
    }
    return {
      instance,
      last: this.#last,
      rows: this.#rows,
      hash: this.#isChained === true ? this.#hash : undefined,
      broken: this.#broken,
    };
  }

  #problemOf({ record, text }: CheckedRow): string | undefined {
    const { instance, sequence, hash } = record;
    if (instance !== this.#run.instance) return "its text says that it belongs to another run";
    const expected = this.#last + 1;
    if (sequence > expected) return missing(expected, sequence - 1);
    if (sequence < expected) return `its text says that it has the number ${sequence}`;
    if (hash === undefined) {
      return this.#isChained === true ? "it has no hash, the row before it has one" : undefined;
    }
    if (hash === chainHash(this.#hash, text, this.#sha256)) return undefined;
    return "its hash is not that of its content and of the row before it";
  }
}

const PreviousSchema = v.object({
  previous: v.array(v.object({ instance: v.string(), sequence: v.number() })),
});

/** Compares what rows of kind `start` say of runs before them with what there is of these. */
export class RunNames {
  /** By run: its last number, and who says so. */
  readonly #named = new Map<string, { readonly sequence: number; readonly by: string }>();

  add({ record: { kind, instance: by, details } }: CheckedRow): void {
    if (kind !== "start") return;
    const parsed = v.safeParse(PreviousSchema, details);
    if (!parsed.success) return;
    for (const { instance, sequence } of parsed.output.previous) {
      this.#named.set(instance, { sequence, by });
    }
  }

  /** What is missing at the end of runs, or was added to them. */
  breaks(runs: readonly Pick<CheckedRun, "instance" | "last" | "broken">[]): AuditBreak[] {
    const known = new Map(runs.map((run) => [run.instance, run]));
    return [...this.#named].flatMap(([instance, { sequence, by }]) => {
      const run = known.get(instance) ?? { last: 0, broken: undefined };
      if (run.broken !== undefined || run.last === sequence) return [];
      const said = `run ${by} says that it ended with ${sequence}`;
      const problem = run.last < sequence
        ? `${missing(run.last + 1, sequence)}; ${said}`
        : `it was added later; ${said}`;
      return [{ instance, sequence: Math.min(run.last, sequence) + 1, problem }];
    });
  }
}

function missing(first: number, last: number): string {
  return first === last ? "it is missing" : `it is missing, and all up to ${last}`;
}
