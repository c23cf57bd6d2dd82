/**
 * Which children run, on disk, so that the next start can end what a crash left behind. Each gateway has
 * a file of its own: several may share a state directory.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import * as v from "valibot";
import { machine, startTime } from "./process_table.ts";
import { signalGroup } from "./signal_group.ts";

const Process = v.object({
  pid: v.pipe(v.number(), v.integer(), v.minValue(2)),
  start: v.string(),
});
const RecordFile = v.object({
  machine: v.string(),
  gateway: Process,
  children: v.array(v.object({ ...Process.entries, name: v.string() })),
});
type RecordFile = v.InferOutput<typeof RecordFile>;
/** A child as it is recorded. */
export type RecordedChild = RecordFile["children"][number];

export class ChildRecord {
  readonly #folder: string;
  readonly #path: string;
  readonly #machine: string;
  readonly #gateway: RecordFile["gateway"];
  readonly #children = new Map<number, RecordedChild>();

  /** Undefined where processes cannot be told apart for good (no `/proc`). */
  static open(stateDir: string): ChildRecord | undefined {
    const here = machine();
    const start = startTime(process.pid);
    return here === undefined || start === undefined
      ? undefined
      : new ChildRecord(stateDir, here, start);
  }

  private constructor(stateDir: string, here: string, start: string) {
    this.#folder = join(stateDir, "children");
    this.#machine = here;
    this.#gateway = { pid: process.pid, start };
    this.#path = join(this.#folder, `${process.pid}-${start}.json`);
  }

  /** @throws when the record cannot be written */
  add(pid: number, name: string): void {
    const start = startTime(pid);
    if (start === undefined) return; // already gone
    this.#children.set(pid, { pid, start, name });
    this.#write();
  }

  /** @throws when the record cannot be written */
  drop(pid: number): void {
    if (this.#children.delete(pid)) this.#write();
  }

  /**
   * Kills the groups of children whose gateway is gone and gives what was found; their records are removed.
   * @throws when the folder cannot be read
   */
  sweep(): RecordedChild[] {
    const found: RecordedChild[] = [];
    for (const path of recordsIn(this.#folder)) {
      const record = readRecord(path);
      if (record !== undefined && this.#isOf(record) && isRunning(record.gateway)) continue;
      const strays = record !== undefined && this.#isOf(record)
        ? record.children.filter(isRunning)
        : [];
      for (const { pid } of strays) signalGroup(pid, "SIGKILL");
      found.push(...strays);
      rmSync(path, { force: true });
    }
    return found;
  }

  #isOf(record: RecordFile): boolean {
    return record.machine === this.#machine;
  }

  #write(): void {
    if (this.#children.size === 0) return rmSync(this.#path, { force: true });
    const record: RecordFile = {
      machine: this.#machine,
      gateway: this.#gateway,
      children: [...this.#children.values()],
    };
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeFileSync(`${this.#path}.new`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }
}

function isRunning({ pid, start }: { readonly pid: number; readonly start: string }): boolean {
  return startTime(pid) === start;
}

function recordsIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".json")).map((name) =>
      join(folder, name)
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Undefined for a file that is not a record, or has gone meanwhile. */
function readRecord(path: string): RecordFile | undefined {
  try {
    const parsed = v.safeParse(RecordFile, JSON.parse(readFileSync(path, "utf8")));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined; // cut off by a full disk, or removed by another gateway's sweep
  }
}
