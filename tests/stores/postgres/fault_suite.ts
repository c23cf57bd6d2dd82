/** What the audit does when its database is away, for either driver. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SentinelError } from "../../../src/contract/errors.ts";
import type { AuditSink } from "../../../src/ports/audit.ts";
import { openPostgresAudit } from "../../../src/stores/postgres/audit.ts";
import type { PostgresServer } from "../../support/postgres.ts";
import { RunningProgram } from "../../support/running_program.ts";
import { commandOf } from "../../support/runtime.ts";
import { deliveries, FIRST_RUN, upTo } from "../audit_rows.ts";
import { numbers, reader } from "../audit_sink_suite.ts";

/** Short, because a frozen server lets it pass; what a busy machine does not do in it is tried again. */
const DEADLINE_MS = 800;
const OPTIONS = { timeout: 60_000 };

/** @param urlOf How the store is to name a database of the server. */
export function faultSuite(server: () => PostgresServer, urlOf: (url: string) => string): void {
  const on = (name: string, run: (sink: AuditSink, url: string) => Promise<void>) =>
    void test(name, OPTIONS, async () => {
      const url = await server().database();
      const sink = openPostgresAudit({ url: urlOf(url), deadlineMs: DEADLINE_MS });
      await settled(() => sink.open());
      try {
        await settled(() => sink.write(deliveries(1, 1)));
        await run(sink, url);
      } finally {
        server().thaw();
        await sink.close();
      }
    });

  on(
    "a frozen server makes a write reject; the rows that come again are stored once",
    async (sink, url) => {
      server().freeze();
      await Promise.all([
        assert.rejects(sink.write(deliveries(2, 6)), isUnavailable),
        assert.rejects(reader(sink).run(FIRST_RUN, 0, 10), isUnavailable),
      ]);
      await assert.rejects(sink.write(deliveries(2, 6)), isUnavailable);
      server().thaw();
      await settled(() => sink.write(deliveries(2, 6)));
      assert.deepEqual(numbers(await reader(sink).run(FIRST_RUN, 0, 100)), upTo(6));
      assert.deepEqual(await countOf(server(), url), 6);
    },
  );

  on("connections that hung are not used again, and do not pile up", async (sink, url) => {
    const impatient = openPostgresAudit({ url: urlOf(url), deadlineMs: DEADLINE_MS / 4 });
    try {
      for (let round = 0; round < 6; round++) {
        server().freeze();
        await assert.rejects(impatient.write(deliveries(2, 2)), isUnavailable);
        server().thaw();
      }
    } finally {
      await impatient.close();
    }
    await settled(() => sink.write(deliveries(2, 2)));
    await settled(async () => {
      const [row] = await server().run(
        url,
        `select count(*)::integer as open from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid()`,
      );
      assert.ok(Number(row?.["open"]) <= 4, `${String(row?.["open"])} connections`);
    });
  });

  on("a crash of the server rejects; after its restart everything goes on", async (sink, url) => {
    await server().kill();
    await assert.rejects(sink.write(deliveries(2, 6)), isUnavailable);
    await assert.rejects(sink.trim(0), isUnavailable);
    await assert.rejects(reader(sink).runs(), isUnavailable);
    await server().restart();
    await settled(() => sink.write(deliveries(2, 6)));
    assert.deepEqual(numbers(await reader(sink).run(FIRST_RUN, 0, 100)), upTo(6));
    assert.equal(await countOf(server(), url), 6);
  });

  on("a crash in the middle of writing loses no row that was acknowledged", async (sink, url) => {
    const batches = 60;
    let restarted: Promise<void> | undefined;
    for (let batch = 0; batch < batches; batch++) {
      const rows = deliveries(batch * 100 + 1, batch * 100 + 100);
      const written = sink.write(rows);
      if (batch === batches / 2) restarted = server().kill().then(() => server().restart());
      await written.catch(() => settled(() => sink.write(rows)));
    }
    await restarted;
    assert.deepEqual(numbers(await reader(sink).run(FIRST_RUN, 0, 10_000)), upTo(batches * 100));
    assert.equal(await countOf(server(), url), batches * 100);
  });

  on("a server that ends its connections in order is used again at once", async (sink, url) => {
    await server().run(
      url,
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await settled(() => sink.write(deliveries(2, 2)));
    assert.deepEqual(numbers(await reader(sink).run(FIRST_RUN, 0, 10)), [1, 2]);
  });

  on("it closes while the server is frozen, also when a write is under way", async (sink) => {
    server().freeze();
    const lost = assert.rejects(sink.write(deliveries(2, 2)), isUnavailable);
    await sink.close();
    await lost;
  });

  on("a frozen server does not keep a program from ending", async (_, url) => {
    const program = new RunningProgram(
      commandOf("tests/fixtures/stores/postgres_writer.ts", [urlOf(url), String(server().port)]),
    );
    try {
      await program.printed(/written/);
      server().freeze();
      assert.deepEqual(await program.stop(), { code: 0 });
    } finally {
      await program.kill();
    }
  });

  void test("a server that is away at the start is used when it comes", OPTIONS, async () => {
    const url = await server().database();
    const sink = openPostgresAudit({ url: urlOf(url), deadlineMs: DEADLINE_MS });
    try {
      await server().kill();
      await assert.rejects(sink.open(), isUnavailable);
      await assert.rejects(sink.write(deliveries(1, 1)), isUnavailable);
      await server().restart();
      await settled(() => sink.write(deliveries(1, 1)));
      assert.deepEqual(numbers(await reader(sink).run(FIRST_RUN, 0, 10)), [1]);
    } finally {
      await sink.close();
    }
  });

  void test("tables that are gone are made again", OPTIONS, async () => {
    const url = await server().database();
    const sink = openPostgresAudit({ url: urlOf(url) });
    try {
      await sink.write(deliveries(1, 1));
      await server().run(
        url,
        `drop view sentinel_audit_calls;
          drop table sentinel_audit, sentinel_audit_trimmed, sentinel_audit_version`,
      );
      await assert.rejects(sink.write(deliveries(2, 2)), /does not exist/);
      await sink.write(deliveries(2, 2));
      assert.deepEqual(numbers(await reader(sink).run(FIRST_RUN, 0, 10)), [2]);
    } finally {
      await sink.close();
    }
  });
}

export function isUnavailable(error: unknown): boolean {
  assert.ok(error instanceof SentinelError, String(error));
  assert.equal(error.code, "AUDIT_UNAVAILABLE", error.message);
  assert.equal(error.details.reason, error.message);
  return true;
}

export async function countOf(server: PostgresServer, url: string): Promise<number> {
  const [row] = await server.run(url, "select count(*)::integer as rows from sentinel_audit");
  return Number(row?.["rows"]);
}

/** Tries until it succeeds, for a while: a server that comes back refuses for a moment. */
async function settled(work: () => Promise<void>): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === 100) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
