/** Operations fired at the same time: one after the other, each once, each recorded, none of them hangs. */
import assert from "node:assert/strict";
import type { JournalEntry } from "../../src/ports/journal.ts";
import type { Runtime } from "../support/runtime.ts";
import { type Answered, ManagedGateway } from "./managed_gateway.ts";
import { NumberedBackend } from "./numbered_backend.ts";

/** Where the three kinds are asked for. */
const RELOAD = "/reload";
const SHUTDOWN = "/shutdown";
const reconnect = (backend: number) => `/backends/backend-${backend}/reconnect`;

const BACKENDS = 3;
/** Requests of each act, all with its key. */
const COPIES = 2;

export interface OperationsOptions {
  /** Acts of one wave against one gateway, without a shutdown. */
  readonly wave: number;
  /** Gateways that get reload, reconnect and shutdown at once. */
  readonly ends: number;
  readonly runtime?: Runtime;
}

export interface OperationsReport {
  readonly requests: number;
  /** Acts by kind and outcome, as the journal has them. */
  readonly acts: Readonly<Record<string, number>>;
}

/** @throws AssertionError when acts overlap, happen twice or are not recorded */
export async function operationStorm(options: OperationsOptions): Promise<OperationsReport> {
  await using backend = await NumberedBackend.start();
  const report = { requests: 0, acts: {} as Record<string, number> };
  const fire = async (acts: readonly string[]) => {
    const gateway = await ManagedGateway.start(tables(backend), options.runtime);
    try {
      report.requests += acts.length * COPIES;
      count(await wave(gateway, acts), report.acts);
    } finally {
      await gateway.remove();
    }
  };
  await fire(Array.from({ length: options.wave }, (_, n) => actOf(n)));
  for (let end = 0; end < options.ends; end++) {
    await fire(turned([RELOAD, SHUTDOWN, reconnect(end % BACKENDS)], end));
  }
  return report;
}

function tables(backend: NumberedBackend) {
  const names = Array.from({ length: BACKENDS }, (_, n) => `backend-${n}`);
  return {
    management: { allow_shutdown: true },
    backends: Object.fromEntries(names.map((name) => [name, { url: backend.urlOf(name) }])),
  };
}

function actOf(n: number): string {
  return n % 2 === 0 ? RELOAD : reconnect(n % BACKENDS);
}

/** Each of them comes first in its turn. */
function turned(acts: readonly string[], by: number): string[] {
  return acts.map((_, index) => acts[(index + by) % acts.length] as string);
}

/** Fires all acts at once, each several times under one key; returns what the journal has of them. */
async function wave(gateway: ManagedGateway, acts: readonly string[]): Promise<JournalEntry[]> {
  const ends = acts.includes(SHUTDOWN);
  const asking = ends ? askUntilGone : askAlways;
  const answers = await Promise.all(acts.map(async (path, n) => {
    const copies = Array.from({ length: COPIES }, () => asking(gateway, path, `act-${n}`));
    return (await Promise.all(copies)).filter((answer) => answer !== undefined);
  }));
  if (ends) assert.equal((await gateway.ended()).code, 0);
  const journal = gateway.journal().filter(({ kind }) => kind !== "refusal");
  assertSerial(journal);
  for (const copies of answers) assertOnce(copies, journal);
  assertAllTold(answers.flat(), journal);
  if (!ends) assert.equal(journal.length, acts.length * 2, "intent and outcome of each act");
  return journal;
}

function askAlways(gateway: ManagedGateway, path: string, key: string): Promise<Answered> {
  return gateway.ask(path, { method: "POST", body: {}, key });
}

/** Undefined for a request that came when nobody listened any more. */
async function askUntilGone(gateway: ManagedGateway, path: string, key: string) {
  try {
    return await askAlways(gateway, path, key);
  } catch {
    return undefined; // what must not be lost this way is found in the journal
  }
}

/** Nothing has taken effect without somebody being told. */
function assertAllTold(answers: readonly Answered[], journal: readonly JournalEntry[]): void {
  const told = new Set(answers.map(({ body }) => body.id as unknown));
  const untold = journal.filter((entry) =>
    entry.kind === "operation.outcome" && entry.operation.outcome !== "rejected" &&
    !told.has(entry.operation.id)
  );
  assert.deepEqual(untold, []);
}

/** The copies of one act have one answer, and it is the journal's. */
function assertOnce(copies: readonly Answered[], journal: readonly JournalEntry[]): void {
  const [first] = copies;
  if (first === undefined) return;
  const isStopping = first.body.error?.code === "STOPPING";
  for (const { status, body } of copies) {
    assert.equal(status, isStopping ? 503 : 200, JSON.stringify(body));
    if (isStopping) assert.equal(body.error.code, "STOPPING");
    else assert.deepEqual(body, first.body);
  }
  if (isStopping) return;
  const { id, outcome, before, revision } = first.body;
  assert.ok(outcome === "applied" || outcome === "unchanged", JSON.stringify(first.body));
  const recorded = journal.flatMap((entry) => "operation" in entry ? [entry] : [])
    .filter(({ operation }) => operation.id === id);
  assert.deepEqual(recorded.map(({ kind }) => kind), ["operation.intent", "operation.outcome"]);
  const last = recorded[1]?.operation as { before: number; revision: number };
  assert.deepEqual([last.before, last.revision], [before, revision]);
}

/** Each act is over before the next one begins, and begins at a revision it left or a later one. */
function assertSerial(journal: readonly JournalEntry[]): void {
  let under: string | undefined;
  let revision = 0;
  for (const entry of journal) {
    if (entry.kind === "operation.intent") {
      assert.equal(under, undefined, `${entry.operation.id} began within ${under}`);
      assert.ok(entry.operation.before >= revision, `revision ${entry.operation.before}`);
      under = entry.operation.id;
    } else if (entry.kind === "operation.outcome") {
      assert.equal(entry.operation.id, under);
      revision = entry.operation.revision;
      under = undefined;
    }
  }
  assert.equal(under, undefined, `${under} has no outcome`);
}

function count(journal: readonly JournalEntry[], counts: Record<string, number>): void {
  for (const entry of journal) {
    if (entry.kind !== "operation.outcome") continue;
    const key = `${entry.operation.operation}, ${entry.operation.outcome}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
}
