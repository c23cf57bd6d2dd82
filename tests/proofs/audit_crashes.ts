/**
 * `kill -9` of the gateway under load, again and again: three ledgers, of the clients, of the backends and of the
 * audit, are joined by the number of each call, and the laws between them hold.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuditRecord } from "../../src/contract/audit.ts";
import { until } from "../scenarios/until.ts";
import { executable, REPOSITORY, type Runtime } from "../support/runtime.ts";
import { delivered, exportedAudit } from "./exported_audit.ts";
import { ManagedGateway, type Tables } from "./managed_gateway.ts";
import { NumberedBackend } from "./numbered_backend.ts";
import { type CallEnd, SteadyLoad } from "./steady_load.ts";

const WAIT_MS = 60_000;
/** After a start, open intents have to be closed within this time. */
const CLOSED_MS = 5000;
/** Between a start and a kill, milliseconds. */
const SHORTEST_MS = 300;
const LONGEST_MS = 3000;
const TOOLS = ["remote__echo", "child__echo"];

export interface AuditCrashOptions {
  readonly kills: number;
  /** Calls per second, HTTP and stdio in turn. */
  readonly rate: number;
  readonly runtime?: Runtime;
  /** Section `[audit]`; SQLite without it. */
  readonly audit?: Tables;
}

export interface AuditCrashReport {
  readonly calls: number;
  readonly answered: number;
  readonly brokenOff: number;
  readonly reachedBackends: number;
  readonly rows: number;
  readonly unknown: number;
  readonly runs: number;
  readonly problems: readonly string[];
}

/** @throws AssertionError when the gateway does not come back, or leaves intents open */
export async function auditCrashes(options: AuditCrashOptions): Promise<AuditCrashReport> {
  const folder = await mkdtemp(join(tmpdir(), "audit-proof-"));
  const ledger = join(folder, "child.ledger");
  await using backend = await NumberedBackend.start();
  const gateway = await ManagedGateway.start({
    ...(options.audit === undefined ? {} : { audit: options.audit }),
    backends: {
      remote: { url: backend.urlOf("remote") },
      child: {
        command: executable("node"),
        args: [join(REPOSITORY, "tests/proofs/numbered_child.ts"), "--ledger", ledger],
      },
    },
  }, options.runtime);
  try {
    const ends = await crashes(gateway, options);
    await delivered(gateway);
    await gateway.stop();
    return judge(
      ends,
      [...backend.calls, ...numbersIn(ledger)],
      exportedAudit(gateway, options.runtime),
    );
  } finally {
    await gateway.remove();
    await rm(folder, { recursive: true });
  }
}

async function crashes(
  gateway: ManagedGateway,
  { kills, rate }: AuditCrashOptions,
): Promise<CallEnd[]> {
  const ends: CallEnd[] = [];
  let after = 0;
  for (let kill = 0; kill <= kills; kill++) {
    await ready(gateway);
    const load = await SteadyLoad.start({
      url: gateway.url,
      tools: TOOLS,
      rate,
      after,
      ended: (call) => void ends.push(call),
    });
    await pause(SHORTEST_MS + Math.random() * (LONGEST_MS - SHORTEST_MS));
    if (kill < kills) await gateway.kill();
    await load.stop();
    after = load.last;
    if (kill < kills) await gateway.restart();
  }
  return ends;
}

/** Waits until both backends answer and the last run's calls are closed. */
async function ready(gateway: ManagedGateway): Promise<void> {
  await until(async () => {
    const { body } = await gateway.ask("/backends?filter=state:ready");
    assert.equal(body.items.length, TOOLS.length);
  }, WAIT_MS);
  await until(async () => {
    const { body } = await gateway.ask("/status");
    assert.equal(body.audit.open, 0);
  }, CLOSED_MS);
}

function numbersIn(ledger: string): number[] {
  if (!existsSync(ledger)) return [];
  return readFileSync(ledger, "utf8").split("\n").filter((line) => line !== "").map(Number);
}

function judge(
  ends: readonly CallEnd[],
  reached: readonly number[],
  records: readonly AuditRecord[],
): AuditCrashReport {
  const problems: string[] = [];
  const calls = records.filter(({ kind }) => kind === "call");
  const rows = new Map<number, AuditRecord>();
  for (const row of calls) {
    const { n } = row.arguments as { readonly n: number };
    if (rows.has(n)) problems.push(`call ${n} has two rows`);
    rows.set(n, row);
  }
  if (new Set(reached).size !== reached.length) problems.push("a call reached its backend twice");
  for (const n of reached) {
    if (!rows.has(n)) problems.push(`call ${n} reached its backend unrecorded`);
  }
  for (const end of ends) problems.push(...problemsOf(end, rows.get(end.n)));
  const broken = ends.filter(isBrokenOff);
  return {
    calls: ends.length,
    answered: ends.length - broken.length,
    brokenOff: broken.length,
    reachedBackends: reached.length,
    rows: calls.length,
    unknown: calls.filter(({ outcome }) => outcome === "unknown").length,
    runs: new Set(records.map(({ instance }) => instance)).size,
    problems: problems.slice(0, 20),
  };
}

/** Laws between what a client saw and the record: an answer has its outcome, and no other. */
function problemsOf(end: CallEnd, row: AuditRecord | undefined): string[] {
  if (isBrokenOff(end)) return [];
  if (row === undefined) return [`call ${end.n} was answered unrecorded`];
  const wasAnswered = end.error === undefined;
  if (wasAnswered === (row.outcome === "ok")) return [];
  return [`call ${end.n} was ${wasAnswered ? "answered" : end.error}, recorded as ${row.outcome}`];
}

/** No answer at all: the gateway was killed meanwhile. */
function isBrokenOff({ code }: CallEnd): boolean {
  return code === 0;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
