/**
 * A gateway with calls that take seconds and open streams is asked to stop (trust.md T72), once with time for
 * all of them and once without: it is unready first, every call is answered, in full or typed, and every stream ends
 * properly.
 */
import assert from "node:assert/strict";
import { until } from "../scenarios/until.ts";
import { LedgerLoad } from "../support/faults/ledger_load.ts";
import { laws, type RowC, rowsOf } from "../support/faults/ledgers.ts";
import { ScriptedBackend } from "../support/faults/scripted_backend.ts";
import { RUNTIME, type Runtime } from "../support/runtime.ts";
import { exportedAudit } from "./exported_audit.ts";
import { ManagedGateway } from "./managed_gateway.ts";
import { StandingStream } from "./standing_stream.ts";

export interface DrainOptions {
  /** Under way when the gateway is asked to stop, each by a client of its own. */
  readonly calls: number;
  readonly streams: number;
  readonly runtime?: Runtime;
}

/** How one stop went; times in milliseconds since the signal. */
export interface Stop {
  readonly drainMs: number;
  readonly unreadyMs: number;
  readonly answered: number;
  /** Calls that were answered with STOPPING. */
  readonly stopped: number;
  readonly streamsEnded: number;
  readonly exitMs: number;
  readonly problems: readonly string[];
}

const CALL_MS = 5000;
const DELAY_MS = 1000;
/** Longer than the calls, and shorter. */
const DRAINS_MS = [12_000, 3000];
const WAIT_MS = 60_000;
/** What a stop may take longer than `drain_timeout`. */
const GRACE_MS = 2000;
const TERMINATED = 143;

/** @throws AssertionError when a gateway does not become ready, or does not say that it stops */
export async function drain(options: DrainOptions): Promise<readonly Stop[]> {
  const stops: Stop[] = [];
  for (const drainMs of DRAINS_MS) stops.push(await stopOnce(options, drainMs));
  return stops;
}

async function stopOnce(options: DrainOptions, drainMs: number): Promise<Stop> {
  const { calls, streams, runtime = RUNTIME } = options;
  await using backend = await ScriptedBackend.start();
  const gateway = await ManagedGateway.start({
    server: { drain_delay: `${DELAY_MS}ms`, drain_timeout: `${drainMs}ms` },
    backends: { slow: { url: backend.urlOf("mcp").href, pool: { max_connections: calls } } },
  }, runtime);
  const standing: StandingStream[] = [];
  try {
    await until(async () => assert.equal(await readiness(gateway), 200), WAIT_MS);
    for (let at = 0; at < streams; at++) standing.push(await StandingStream.open(gateway.url));
    const load = await LedgerLoad.start({
      url: gateway.url,
      tools: ["slow__call"],
      rate: calls,
      clients: calls,
      connections: calls,
      act: () => ({ do: "answer", ms: CALL_MS }),
    });
    await until(() => assert.ok(backend.ledger.length >= calls), WAIT_MS);

    const signalled = performance.now();
    const exited = gateway.stop().then(({ code }) => ({ code, exitMs: since(signalled) }));
    const [{ code, exitMs }, c, unreadyMs] = await Promise.all([
      exited,
      load.stop(),
      unready(gateway, signalled),
    ]);
    const a = rowsOf(exportedAudit(gateway, runtime));
    const figures = {
      drainMs,
      unreadyMs,
      answered: c.filter(({ outcome }) => outcome === "answered").length,
      stopped: c.filter(({ name }) => name === "STOPPING").length,
      streamsEnded: standing.filter(({ endedInOrder }) => endedInOrder).length,
      exitMs,
    };
    const broken = laws({ a, b: backend.ledger, c }, { deadlineMs: CALL_MS + drainMs });
    return { ...figures, problems: [...judged(figures, { c, code, streams }), ...broken] };
  } finally {
    for (const stream of standing) stream.close();
    await gateway.remove();
  }
}

interface Seen {
  readonly c: readonly RowC[];
  readonly code: number;
  readonly streams: number;
}

function judged(stop: Omit<Stop, "problems">, { c, code, streams }: Seen): string[] {
  const { drainMs, unreadyMs, answered, stopped, streamsEnded, exitMs } = stop;
  const problems: string[] = [];
  if (code !== TERMINATED) problems.push(`exit code ${code}`);
  if (exitMs > drainMs + GRACE_MS) problems.push(`ended after ${exitMs} ms`);
  if (unreadyMs > DELAY_MS) problems.push(`unready after ${unreadyMs} ms`);
  if (streamsEnded < streams) problems.push(`${streams - streamsEnded} streams were cut off`);
  if (drainMs > CALL_MS && answered < c.length) {
    problems.push(`${c.length - answered} calls were not answered in full`);
  }
  const ends = c.filter(({ outcome, name }) => outcome !== "answered" && name !== "STOPPING");
  if (answered + stopped < c.length) {
    problems.push(...ends.slice(0, 10).map((end) => `ended otherwise: ${JSON.stringify(end)}`));
  }
  return problems;
}

/** How long the gateway took to say so, on a new connection. */
async function unready(gateway: ManagedGateway, signalled: number): Promise<number> {
  await until(async () => assert.equal(await readiness(gateway), 503), DELAY_MS);
  return since(signalled);
}

async function readiness(gateway: ManagedGateway): Promise<number> {
  const { status, body } = await fetch(new URL("/ready", gateway.url));
  await body?.cancel();
  return status;
}

function since(start: number): number {
  return Math.round(performance.now() - start);
}
