import assert from "node:assert/strict";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { ManagedGateway } from "../proofs/managed_gateway.ts";
import { NumberedBackend } from "../proofs/numbered_backend.ts";
import { type CallEnd, SteadyLoad } from "../proofs/steady_load.ts";
import { PostgresServer } from "../support/postgres.ts";
import { proves } from "../support/proves.ts";
import { stopAll } from "./stop_all.ts";
import { until } from "./until.ts";

const WAIT_MS = 60_000;
const OPTIONS = { timeout: 120_000 };
const DATABASE = "SCENARIO_AUDIT_DATABASE";

describe("the audit of a gateway in PostgreSQL", () => {
  let postgres: PostgresServer;
  let backend: NumberedBackend;
  let gateway: ManagedGateway;
  let database: string;
  const ends: CallEnd[] = [];

  before(async () => {
    postgres = await PostgresServer.start();
    database = await postgres.database();
    process.env[DATABASE] = database;
    backend = await NumberedBackend.start();
    gateway = await ManagedGateway.start({
      audit: { store: "postgres", url: `\${env:${DATABASE}}`, arguments: "full" },
      backends: { one: { url: backend.urlOf("one") } },
    });
    await until(async () => {
      const { body } = await gateway.ask("/backends?filter=state:ready");
      assert.equal(body.items.length, 1);
    }, WAIT_MS);
  }, { timeout: 90_000 });

  after(() =>
    stopAll([
      () => gateway.remove(),
      () => backend[Symbol.asyncDispose](),
      () => postgres.stop(),
    ])
  );

  const startLoad = () =>
    SteadyLoad.start({
      url: gateway.url,
      tools: ["one__echo"],
      rate: 100,
      after: ends.length,
      ended: (call) => void ends.push(call),
    });

  const answersWhile = async (load: SteadyLoad) => {
    await load.goesOn();
    await load.settled();
  };

  /** Waits until `/status` says that the store takes rows, or that it does not; gives the account. */
  const audit = async (ok: boolean) =>
    await until(async () => {
      const { body } = await gateway.ask("/status");
      const { written, committed, queued, dropped } = body.audit;
      assert.equal(written, committed + queued + dropped);
      assert.equal(dropped, 0);
      assert.equal(body.audit.store, "postgres");
      assert.equal(body.audit.ok, ok, body.audit.error);
      assert.equal(body.state, ok ? "ready" : "degraded", JSON.stringify(body.reasons));
      return body.audit;
    }, WAIT_MS);

  const delivered = () =>
    until(async () => {
      const { queued, open } = await audit(true);
      assert.deepEqual({ queued, open }, { queued: 0, open: 0 });
    }, WAIT_MS);

  /** Every call that was answered has one row, and no run has a gap. */
  const checkRows = async () => {
    assert.deepEqual(ends.filter(({ error }) => error !== undefined), []);
    const calls = await postgres.run(
      database,
      `select (arguments ->> 'n')::integer as n, count(*)::integer as rows from sentinel_audit_calls
        where tool = 'one__echo' group by 1 order by 1`,
    );
    assert.deepEqual(
      calls,
      ends.map(({ n }) => n).sort((a, b) => a - b).map((n) => ({ n, rows: 1 })),
    );
    const gaps = await postgres.run(
      database,
      `select instance from sentinel_audit group by instance
        having min(sequence) <> 1 or max(sequence) <> count(*)`,
    );
    assert.deepEqual(gaps, []);
  };

  proves(
    "G5.3",
    "calls go on while the server crashes and while it hangs; every row arrives once",
    async () => {
      const load = await startLoad();
      try {
        await audit(true);
        await postgres.kill();
        await answersWhile(load);
        assert.match((await audit(false)).error, /audit database/);
        await answersWhile(load);
        await postgres.restart();
        await audit(true);

        postgres.freeze();
        await answersWhile(load);
        assert.match((await audit(false)).error, /no answer within 10 s/);
        await answersWhile(load);
        postgres.thaw();
        await audit(true);
        await answersWhile(load);
      } finally {
        postgres.thaw();
        await load.stop();
      }
      await delivered();
      await checkRows();
    },
    OPTIONS,
  );

  test("what a gateway could not deliver is delivered by the next one", OPTIONS, async () => {
    await postgres.kill();
    const load = await startLoad();
    await answersWhile(load);
    await load.stop();
    await audit(false);
    await gateway.stop();
    await gateway.restart(); // the database is still away, which must not keep it from starting
    await postgres.restart();
    await delivered();
    await checkRows();
  });
});
