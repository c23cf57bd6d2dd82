/**
 * The audit's PostgreSQL is stopped, and later frozen, under load: no call fails or slows, and every row arrives
 * once. Calls of an equal time before, between and after are what the others are compared with.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { until } from "../scenarios/until.ts";
import { PostgresServer } from "../support/postgres.ts";
import type { Runtime } from "../support/runtime.ts";
import { ManagedGateway } from "./managed_gateway.ts";
import { NumberedBackend } from "./numbered_backend.ts";
import { type CallEnd, SteadyLoad } from "./steady_load.ts";

const DATABASE = "PROOF_AUDIT_DATABASE";
const WAIT_MS = 120_000;
/** What the slowest of a hundred calls may take beside the same without a fault; the rest is noise. */
const NOISE = 1.5;

export interface AuditOutageOptions {
  /** Length of each phase. */
  readonly seconds: number;
  /** Calls per second. */
  readonly rate: number;
  readonly runtime?: Runtime;
}

export interface AuditOutageReport {
  readonly calls: number;
  readonly failed: number;
  readonly rows: number;
  /** Milliseconds by phase; `quiet` ones have no fault. */
  readonly p50: Readonly<Record<string, number>>;
  readonly p99: Readonly<Record<string, number>>;
  /** Rows that waited at the end of each fault. */
  readonly waited: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

/** @throws AssertionError when rows are not delivered in time */
export async function auditOutage(options: AuditOutageOptions): Promise<AuditOutageReport> {
  const postgres = await PostgresServer.start();
  const database = await postgres.database();
  process.env[DATABASE] = database;
  await using backend = await NumberedBackend.start();
  const gateway = await ManagedGateway.start({
    audit: { store: "postgres", url: `\${env:${DATABASE}}` },
    backends: { remote: { url: backend.urlOf("remote") } },
  }, options.runtime);
  try {
    const proof = new OutageProof(gateway, postgres, options);
    await proof.run();
    return await proof.report(database);
  } finally {
    postgres.thaw();
    await gateway.remove();
    await postgres.stop();
  }
}

class OutageProof {
  readonly #gateway: ManagedGateway;
  readonly #postgres: PostgresServer;
  readonly #options: AuditOutageOptions;
  readonly #ends: CallEnd[] = [];
  /** Name and number of the first call of each phase. */
  readonly #phases: { readonly name: string; readonly from: number }[] = [];
  readonly #waited: Record<string, number> = {};

  constructor(gateway: ManagedGateway, postgres: PostgresServer, options: AuditOutageOptions) {
    this.#gateway = gateway;
    this.#postgres = postgres;
    this.#options = options;
  }

  async run(): Promise<void> {
    await until(async () => {
      const { body } = await this.#gateway.ask("/backends?filter=state:ready");
      assert.equal(body.items.length, 1);
    }, WAIT_MS);
    const load = await SteadyLoad.start({
      url: this.#gateway.url,
      tools: ["remote__echo"],
      rate: this.#options.rate,
      ended: (call) => void this.#ends.push(call),
    });
    await pause(3000); // what every process does only once
    await this.#phase("quiet before", load);
    await this.#postgres.kill();
    await this.#phase("stopped", load);
    await this.#postgres.restart();
    await this.#recovered();
    await this.#phase("quiet between", load);
    this.#postgres.freeze();
    await this.#phase("frozen", load);
    this.#postgres.thaw();
    await this.#recovered();
    await this.#phase("quiet after", load);
    await load.stop();
    await this.#recovered(0);
  }

  async report(database: string): Promise<AuditOutageReport> {
    const calls = this.#ends.filter(({ error }) => error === undefined);
    const failed = this.#ends.filter(({ error }) => error !== undefined);
    const found = await this.#postgres.run(
      database,
      `select count(*)::integer as rows, count(distinct request)::integer as calls
         from sentinel_audit where kind = 'call'`,
    );
    const [{ rows, calls: distinct }] = found as [{ rows: number; calls: number }];
    const p99 = this.#percentiles(0.99);
    const problems = [
      ...failed.slice(0, 10).map((call) => `failed: ${JSON.stringify(call)}`),
      ...(rows === distinct ? [] : [`${rows} rows of ${distinct} calls`]),
      ...(rows === this.#ends.length ? [] : [`${rows} rows, but ${this.#ends.length} calls`]),
      ...slower(p99),
    ];
    return {
      calls: calls.length,
      failed: failed.length,
      rows,
      p50: this.#percentiles(0.5),
      p99,
      waited: this.#waited,
      problems,
    };
  }

  async #phase(name: string, load: SteadyLoad): Promise<void> {
    this.#phases.push({ name, from: load.last + 1 });
    await pause(this.#options.seconds * 1000);
    const { body } = await this.#gateway.ask("/status");
    this.#waited[name] = body.audit.queued;
    this.#phases.push({ name: "", from: load.last + 1 });
  }

  /** The store takes rows again, and no more wait than a second brings. */
  async #recovered(most = this.#options.rate): Promise<void> {
    await until(async () => {
      const { body } = await this.#gateway.ask("/status");
      const { ok, written, committed, queued, dropped, error } = body.audit;
      assert.equal(ok, true, error);
      assert.equal(written, committed + queued + dropped);
      assert.ok(queued <= most, `${queued} rows wait`);
    }, WAIT_MS);
  }

  #percentiles(share: number): Record<string, number> {
    const found: Record<string, number> = {};
    for (const [at, { name, from }] of this.#phases.entries()) {
      if (name === "") continue;
      const to = this.#phases[at + 1]?.from ?? Infinity;
      const times = this.#ends.filter(({ n }) => n >= from && n < to).map(({ ms }) => ms)
        .sort((a, b) => a - b);
      found[name] = Math.round((times[Math.floor(times.length * share)] ?? 0) * 100) / 100;
    }
    return found;
  }
}

/** Phases with a fault, beside the slowest without one. */
function slower(p99: Readonly<Record<string, number>>): string[] {
  const quiet = Object.entries(p99).filter(([name]) => name.startsWith("quiet"));
  const most = Math.max(...quiet.map(([, ms]) => ms));
  return ["stopped", "frozen"].flatMap((name) => {
    const ms = p99[name] ?? Infinity;
    return ms <= most * NOISE ? [] : [`p99 ${ms} ms while ${name}, ${most} ms without a fault`];
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
