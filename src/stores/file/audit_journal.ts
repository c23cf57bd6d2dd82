import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { AuditJournal, EndedRun, JournaledRow, Leftover, Mark } from "../../ports/audit.ts";
import { auditFailure } from "./audit_failure.ts";
import { EndedFile } from "./audit_ended.ts";
import { type Owner, ownLeft, ownNew } from "./audit_owner.ts";
import { AuditRun } from "./audit_run.ts";
import { nothing, scanRun } from "./audit_scan.ts";

export interface AuditJournalOptions {
  /** UUIDv7 of this run. */
  readonly instance: string;
  /** Size in bytes from which a new file is begun; 16 MiB by default. */
  readonly segmentBytes?: number;
}

const PRIVATE = 0o700;
const INSTANCE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Put aside by an earlier process: with nothing that is needed, or with something that cannot be read. */
const REMOVED = /^[0-9a-f-]{36}\.removed$/;
const DAMAGED = /^[0-9a-f-]{36}\.damaged$/;

/**
 * The journal of the audit in a folder: each run writes segments in a sub-folder of its name, and takes over
 * those whose process has ended.
 * @throws SentinelError AUDIT_UNAVAILABLE when the folder cannot be used
 */
export async function openAuditJournal(
  folder: string,
  { instance, segmentBytes = 16 * 1024 * 1024 }: AuditJournalOptions,
): Promise<AuditJournal> {
  const own = join(folder, instance);
  let run: AuditRun;
  try {
    if (!INSTANCE.test(instance)) throw new Error(`"${instance}" is no UUID in lower case`);
    mkdirSync(folder, { recursive: true, mode: PRIVATE });
    mkdirSync(own, { mode: PRIVATE });
    run = new AuditRun({ folder: own, segmentBytes }, ownNew(own), nothing());
  } catch (error) {
    throw auditFailure("open", own, error);
  }
  try {
    const taken = await takeOver(folder, instance, segmentBytes);
    return new FileAuditJournal(instance, run, { ...taken, ended: new EndedFile(folder) });
  } catch (error) {
    run.close();
    throw auditFailure("open", folder, error);
  }
}

class FileAuditJournal implements AuditJournal {
  readonly instance: string;
  readonly leftovers: readonly LeftRun[];
  readonly problems: readonly string[];
  readonly ended: EndedRun | undefined;
  readonly #run: AuditRun;
  readonly #endedFile: EndedFile;

  constructor(
    instance: string,
    run: AuditRun,
    { leftovers, problems, ended }: TakenOver & { readonly ended: EndedFile },
  ) {
    this.instance = instance;
    this.#run = run;
    this.leftovers = leftovers;
    this.problems = problems;
    this.ended = ended.read();
    this.#endedFile = ended;
  }

  get bytes(): number {
    let { bytes } = this.#run;
    for (const leftover of this.leftovers) bytes += leftover.bytes;
    return bytes;
  }

  intent(request: string, text: string): void {
    this.#run.intent(request, text);
  }

  append(row: JournaledRow): void {
    this.#run.append(row);
  }

  forget(request: string): void {
    this.#run.forget(request);
  }

  synced(): Promise<void> {
    return this.#run.synced();
  }

  rows(after: number, limit: number): Promise<readonly JournaledRow[]> {
    return this.#run.rows(after, limit);
  }

  delivered(mark: Mark): void {
    this.#run.delivered(mark);
  }

  close(): void {
    const { last } = this.#run;
    if (this.#run.close()) this.#endedFile.write({ instance: this.instance, last });
    for (const leftover of this.leftovers) leftover.close();
  }
}

/** A run of a process that has ended. */
class LeftRun implements Leftover {
  readonly instance: string;
  readonly open: Leftover["open"];
  readonly #run: AuditRun;

  constructor(instance: string, run: AuditRun, open: Leftover["open"]) {
    this.instance = instance;
    this.#run = run;
    this.open = open;
  }

  get last(): number {
    return this.#run.last;
  }

  get mark(): Mark {
    return this.#run.mark;
  }

  get bytes(): number {
    return this.#run.bytes;
  }

  append(row: JournaledRow): void {
    this.#run.append(row);
  }

  rows(after: number, limit: number): Promise<readonly JournaledRow[]> {
    return this.#run.rows(after, limit);
  }

  delivered(mark: Mark): void {
    this.#run.delivered(mark);
  }

  remove(): void {
    this.#run.remove();
  }

  /** Leaves it to the next process. */
  close(): void {
    this.#run.close();
  }
}

interface TakenOver {
  readonly leftovers: LeftRun[];
  readonly problems: string[];
}

/** The names are UUIDv7, so by name is by age. */
async function takeOver(
  folder: string,
  own: string,
  segmentBytes: number,
): Promise<TakenOver> {
  const taken: TakenOver = { leftovers: [], problems: [] };
  const folders = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== own);
  for (const { name } of folders.sort((one, two) => one.name < two.name ? -1 : 1)) {
    const path = join(folder, name);
    if (REMOVED.test(name)) rmSync(path, { recursive: true, force: true });
    else if (DAMAGED.test(name)) taken.problems.push(`"${path}" has lines that cannot be read`);
    else if (INSTANCE.test(name)) await takeRun(name, { folder: path, segmentBytes }, taken);
  }
  return taken;
}

async function takeRun(
  instance: string,
  options: { readonly folder: string; readonly segmentBytes: number },
  { leftovers, problems }: TakenOver,
): Promise<void> {
  let owner: Owner | undefined;
  try {
    owner = ownLeft(options.folder);
    if (owner === undefined) return;
    const contents = scanRun(options.folder);
    // Somebody has just made it, and is about to take it.
    if (contents.segments.length === 0) return owner.release();
    const run = new AuditRun(options, owner, contents);
    leftovers.push(new LeftRun(instance, run, await run.intended()));
  } catch (error) {
    owner?.release();
    if (!existsSync(options.folder)) return; // another process has taken and finished it
    problems.push(auditFailure("read", options.folder, error).message);
  }
}
