import { createHash } from "node:crypto";
import type { AuditRun } from "../../src/contract/audit.ts";
import {
  type AuditBreak,
  type CheckedRun,
  RunCheck,
  RunNames,
} from "../../src/contract/audit_check.ts";
import { type AuditSource, withAudit } from "../audit_source.ts";
import { EXIT } from "../exit.ts";
import { counted, type Output } from "../output.ts";
import type { TargetRequest } from "../target.ts";
import { visible } from "../text.ts";

/** What was found. */
interface Verified {
  readonly runs: readonly CheckedRun[];
  readonly breaks: readonly AuditBreak[];
  /** Rows that the store does not have yet. */
  readonly waiting: number;
}

/** Recomputes the chain of every run; exit 1 when something is missing, changed or added. */
export async function verifyAudit(request: TargetRequest): Promise<number> {
  const { output } = request;
  const found = await withAudit(request, verify);
  const { runs, breaks, waiting } = found;
  if (output.isJson) {
    const plain = runs.map(({ broken: _broken, ...run }) => run);
    output.json("audit-verification", { ok: breaks.length === 0, runs: plain, breaks, waiting });
  } else print(found, output);
  return breaks.length === 0 ? EXIT.done : EXIT.failed;
}

async function verify(source: AuditSource): Promise<Verified> {
  const names = new RunNames();
  const runs: CheckedRun[] = [];
  const waiting = await source.waiting();
  for (const run of await source.runs()) runs.push(await checkRun(source, run, names));
  const within = runs.flatMap(({ broken }) => broken ?? []);
  return { runs, breaks: [...within, ...names.breaks(runs)], waiting };
}

async function checkRun(source: AuditSource, run: AuditRun, names: RunNames): Promise<CheckedRun> {
  const check = new RunCheck(run, sha256);
  for (;;) {
    const page = await source.run(run.instance, check.last);
    if (page.length === 0) return check.end();
    for (const row of page) {
      if (!check.add(row)) return check.end();
      names.add(row);
    }
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function print({ runs, breaks, waiting }: Verified, output: Output): void {
  for (const { instance, sequence, problem } of breaks) {
    const text = visible(`run ${instance}, row ${sequence}: ${problem}`);
    output.line(`${output.paint("error", "broken")}  ${text}`);
  }
  const rows = runs.reduce((sum, run) => sum + run.rows, 0);
  const unchained = runs.filter((run) => run.hash === undefined && run.rows > 0).length;
  const facts = [counted(rows, "row"), counted(runs.length, "run")].join(" of ");
  if (breaks.length === 0) output.line(`${output.paint("good", "ok")}  ${facts}`);
  else output.line(`looked at ${facts}`);
  if (unchained > 0) {
    output.note(`${counted(unchained, "run")} without a chain: only the numbers were checked`);
  }
  if (waiting > 0) output.note(`${counted(waiting, "row")} not in the store yet`);
  const last = runs.findLast((run) => run.hash !== undefined);
  if (last !== undefined && breaks.length === 0) {
    output.note(`last: run ${last.instance}, row ${last.last}, hash ${last.hash}`);
  }
}
