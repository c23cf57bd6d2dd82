import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SentinelError } from "../../../src/contract/errors.ts";
import type { AuditSink } from "../../../src/ports/audit.ts";
import {
  openPostgresAudit,
  type PostgresAuditOptions,
} from "../../../src/stores/postgres/audit.ts";
import { Authority, type Certificate } from "../../support/certificates.ts";
import { proves } from "../../support/proves.ts";
import { POSTGRES_PASSWORD, PostgresServer } from "../../support/postgres.ts";
import { delivered, deliveries, FIRST_RUN, hashOf, START, upTo } from "../audit_rows.ts";
import { HOSTILE, numbers, reader } from "../audit_sink_suite.ts";
import { countOf, isUnavailable } from "./fault_suite.ts";

const OPTIONS = { timeout: 60_000 };

describe("a database for the audit", () => {
  let server: PostgresServer;
  let authority: Authority;
  let certificate: Certificate;
  before(async () => {
    authority = new Authority();
    certificate = authority.issue({ subject: "/CN=127.0.0.1", use: "server" });
    server = await PostgresServer.start({ certificate });
  }, { timeout: 60_000 });
  after(async () => {
    authority.remove();
    await server.stop();
  });

  const withSink = async <Result>(
    options: PostgresAuditOptions,
    work: (sink: AuditSink) => Promise<Result>,
  ): Promise<Result> => {
    const sink = openPostgresAudit(options);
    try {
      return await work(sink);
    } finally {
      await sink.close();
    }
  };
  const opened = (options: PostgresAuditOptions) => withSink(options, (sink) => sink.open());
  /** The message of a refusal to open. */
  const refusal = async (options: PostgresAuditOptions): Promise<string> => {
    const error: unknown = await opened(options).then(() => undefined, (thrown) => thrown);
    assert.ok(error instanceof SentinelError, String(error));
    const whole = [error.message, error.details.reason, String(error.cause)].join("\n");
    for (const secret of [POSTGRES_PASSWORD, encodeURIComponent(POSTGRES_PASSWORD)]) {
      assert.ok(!whole.includes(secret), whole);
    }
    return `${error.code}: ${error.message}`;
  };
  const withUser = async (name: string): Promise<[string, string]> => {
    const url = await server.database();
    await server.run(url, `create role ${name} login password 'theirs'`);
    return [url, server.urlAs(url, name, "theirs")];
  };

  proves("G5.4", "many gateways may make the tables at once", async () => {
    const url = await server.database();
    await Promise.all(upTo(8).map(() => opened({ url })));
    const versions = await server.run(url, "select version from sentinel_audit_version");
    assert.deepEqual(versions, [{ version: 1 }]);
  }, OPTIONS);

  test(
    "missing tables without leave to make them are refused with what to do",
    OPTIONS,
    async () => {
      const url = await server.database();
      const message = await refusal({ url, migrate: false });
      assert.match(message, /^CONFIG_INVALID: .*version 0.*audit\.migrate = true/);
      const [found] = await server.run(url, "select to_regclass('sentinel_audit') as found");
      assert.deepEqual(found, { found: null });
      await opened({ url });
      await opened({ url, migrate: false });
    },
  );

  test("a step that fails leaves nothing behind", OPTIONS, async () => {
    const url = await server.database();
    await server.run(url, "create table sentinel_audit_trimmed (in_the_way text)");
    assert.match(await refusal({ url }), /^AUDIT_UNAVAILABLE: .*already exists/);
    await server.run(url, "drop table sentinel_audit_trimmed");
    await opened({ url });
  });

  test(
    "a user that may only add can be recorded for, and cannot change the past",
    OPTIONS,
    async () => {
      const [url, theirs] = await withUser("adder");
      await opened({ url });
      await server.run(
        url,
        `grant select, insert on sentinel_audit to adder; grant select on sentinel_audit_version to adder`,
      );
      await withSink({ url: theirs, migrate: false }, async (sink) => {
        await sink.open();
        await sink.write(deliveries(1, 3));
        assert.deepEqual(numbers(await reader(sink).run(FIRST_RUN, 0, 10)), [1, 2, 3]);
        await assert.rejects(sink.trim(START + 2500), isUnavailable);
        await assert.rejects(server.run(theirs, "update sentinel_audit set row = ''"), /denied/);
      });
      await server.run(
        url,
        `grant delete on sentinel_audit to adder;
        grant select, insert, update on sentinel_audit_trimmed to adder`,
      );
      await withSink({ url: theirs, migrate: false }, async (sink) => {
        assert.equal(await sink.trim(START + 2500), 2);
        const trimmed = { sequence: 2, hash: hashOf(FIRST_RUN, 2) };
        const [run] = await reader(sink).runs();
        assert.deepEqual(run, { instance: FIRST_RUN, first: 3, last: 3, rows: 1, trimmed });
      });
    },
  );

  test("the tables are made in the first schema of the user's search path", OPTIONS, async () => {
    const [url, theirs] = await withUser("tenant");
    assert.match(await refusal({ url: theirs }), /^AUDIT_UNAVAILABLE: .*denied.*grant/);
    await server.run(url, "alter role tenant set search_path = records, public");
    await opened({ url }); // in public, which is second for the tenant
    await server.run(url, "create schema records authorization tenant");
    await withSink({ url: theirs }, (sink) => sink.write([delivered(1)]));
    const [row] = await server.run(
      url,
      `select (select count(*)::integer from records.sentinel_audit) as theirs,
        (select count(*)::integer from public.sentinel_audit) as others`,
    );
    assert.deepEqual(row, { theirs: 1, others: 0 });
  });

  test("a search path without a schema is refused", OPTIONS, async () => {
    const [url, theirs] = await withUser("homeless");
    await server.run(url, "alter role homeless set search_path = nowhere");
    assert.match(
      await refusal({ url: theirs }),
      /^CONFIG_INVALID: .*search_path.*create the schema/,
    );
  });

  test("an encoding that cannot hold every text is refused", OPTIONS, async () => {
    const url = await server.database("template template0 encoding 'LATIN1' locale 'C'");
    assert.match(await refusal({ url }), /^CONFIG_INVALID: .*LATIN1.*UTF8/);
  });

  test("what the server or the system refuses is said with what to do", OPTIONS, async () => {
    const url = await server.database();
    const changed = (change: (url: URL) => void) => {
      const other = new URL(url);
      change(other);
      return other.href;
    };
    const wrong = changed((other) => other.password = "wrong-one");
    assert.match(
      await refusal({ url: wrong }),
      /^AUDIT_UNAVAILABLE: .*authentication.*correct user/,
    );
    const missing = changed((other) => other.pathname = "/missing");
    assert.match(await refusal({ url: missing }), /"missing" does not exist; create the database/);
    const unknown = changed((other) => other.hostname = "database.invalid");
    assert.match(await refusal({ url: unknown }), /correct the host/);
    const silent = changed((other) => other.port = "1");
    assert.match(await refusal({ url: silent }), /127\.0\.0\.1:1\/.*start the server/s);
    const hidden = changed((other) => {
      other.searchParams.set("password", "in-the-query");
      other.password = "";
    });
    const message = await refusal({ url: hidden });
    assert.ok(!message.includes("in-the-query"), message);
    assert.throws(
      () => openPostgresAudit({ url: `postgres://joe:${POSTGRES_PASSWORD}@[no host` }),
      (error) => {
        assert.ok(error instanceof SentinelError && error.code === "CONFIG_INVALID");
        return !String(error).includes(POSTGRES_PASSWORD);
      },
    );
  });

  test("SQLSTATE decides what is advised", OPTIONS, async () => {
    const url = await server.database();
    await withSink({ url }, async (sink) => {
      await sink.open();
      const states: readonly (readonly [string, RegExp])[] = [
        ["53100", /free disk space/],
        ["53200", /short of memory/],
        ["25006", /name the primary/],
        ["57014", /too long/],
        ["57P01", /wait in the journal/],
        ["XX001", /damaged/],
        ["40001", /made for the test$/],
      ];
      for (const [state, advice] of states) {
        await server.run(
          url,
          `create or replace function refuse() returns trigger language plpgsql as $$
            begin raise exception 'made for the test' using errcode = '${state}'; end $$;
          create or replace trigger refuse before insert on sentinel_audit
            for each statement execute function refuse();`,
        );
        await assert.rejects(sink.write([delivered(1)]), (error) => {
          assert.match(String(error), advice, state);
          return isUnavailable(error);
        });
      }
    });
  });

  test("a write is durable and bounded, whatever the user's settings are", OPTIONS, async () => {
    const [url, theirs] = await withUser("careless");
    await server.run(
      url,
      `alter role careless set synchronous_commit = off;
        alter role careless set client_encoding = LATIN1;
        alter role careless set default_transaction_read_only = on;
        alter role careless set datestyle = 'SQL, DMY';
        alter role careless set timezone = 'Asia/Tokyo';
        grant create on schema public to careless`,
    );
    await withSink({ url: theirs, deadlineMs: 5000 }, async (sink) => {
      await sink.open();
      await server.run(
        url,
        `create table seen (synchronous text, statement_timeout text);
          grant insert on seen to careless;
          create function look() returns trigger language plpgsql as $$ begin
            insert into seen values (current_setting('synchronous_commit'), current_setting('statement_timeout'));
            return null;
          end $$;
          create trigger look after insert on sentinel_audit for each statement execute function look();`,
      );
      await sink.write([delivered(1, { name: "Zürich 🛰" })]);
      assert.deepEqual(
        await server.run(url, "select * from seen"),
        [{ synchronous: "on", statement_timeout: "5s" }],
      );
      const [found] = await server.run(url, "select name, at, row from sentinel_audit");
      const { text, row } = delivered(1, { name: "Zürich 🛰" });
      assert.deepEqual(found, { name: "Zürich 🛰", at: new Date(row.at), row: text });
      const query = { from: START + 1000, to: START + 1001, order: "newest", limit: 10 } as const;
      assert.deepEqual(numbers(await reader(sink).search(query)), [1]);
    });
  });

  test("readers that wait do not keep rows from being written", OPTIONS, async () => {
    const url = await server.database();
    await withSink({ url }, async (sink) => {
      await sink.open();
      const locked = server.run(
        url,
        `begin; lock table sentinel_audit_trimmed in access exclusive mode;
          select pg_sleep(3600); commit`,
      );
      const ended = assert.rejects(locked);
      await waiting("pg_sleep", 1);
      const readers = upTo(5).map(() => reader(sink).runs());
      await waiting("sentinel_audit_trimmed trimmed", 3);
      await sink.write(deliveries(1, 10));
      await server.run(
        url,
        "select pg_cancel_backend(pid) from pg_stat_activity where query like '%pg_sleep(3600)%' and pid <> pg_backend_pid()",
      );
      await ended;
      for (const runs of await Promise.all(readers)) assert.equal(runs[0]?.rows, 10);
    });

    /** Until so many sessions are busy with a statement. */
    async function waiting(text: string, sessions: number): Promise<void> {
      for (let busy = 0; busy < sessions;) {
        const [row] = await server.run(
          url,
          `select count(*)::integer as busy from pg_stat_activity
            where state = 'active' and query like '%' || $1 || '%' and pid <> pg_backend_pid()`,
          [text],
        );
        busy = Number(row?.["busy"]);
      }
    }
  });

  test("people read calls in a view, whatever is in their arguments", OPTIONS, async () => {
    const url = await server.database();
    await withSink({ url }, async (sink) => {
      await sink.write([
        ...HOSTILE.map((value, index) =>
          delivered(index + 1, { arguments: { [value]: value }, reason: value, durationMs: 1.5 })
        ),
        delivered(100, { kind: "operation" }),
        delivered(101, { arguments: { said: "a \u0000 b \ud800 c 🛰" }, error: "TOOL_DISABLED" }),
      ]);
    });
    assert.equal(await countOf(server, url), HOSTILE.length + 2);
    const rows = await server.run(url, "select * from sentinel_audit_calls order by time");
    assert.equal(rows.length, HOSTILE.length + 1);
    const { row, ...last } = rows.at(-1) ?? {};
    assert.deepEqual(last, {
      time: new Date(START + 101_000),
      principal: "https://issuer.test joe",
      tool: "files__read",
      backend: "files",
      outcome: "ok",
      duration_ms: null,
      arguments: { said: "a \ufffd b \ufffd c 🛰" },
      method: "tools/call",
      session: "session-1",
      request: "request 101",
      error: "TOOL_DISABLED",
      reason: null,
    });
    assert.equal((row as { readonly sequence?: number }).sequence, 101);
    assert.equal(rows[0]?.["duration_ms"], 1.5);
    const [slow] = await server.run(
      url,
      `select count(*)::integer as calls from sentinel_audit_calls
        where tool = 'files__read' and arguments ->> 'said' like '%🛰'`,
    );
    assert.deepEqual(slow, { calls: 1 });
  });

  test(
    "sslmode in the URL is honoured: the server is verified, and rows travel in TLS",
    OPTIONS,
    async () => {
      const url = await server.database();
      const verified = `${url}?sslmode=verify-full&sslrootcert=${authority.root.certFile}`;
      const inTls = `select bool_and(ssl) as tls from pg_stat_ssl join pg_stat_activity using (pid)
      where datname = current_database() and application_name = 'mcp-sentinel'`;
      await withSink({ url: verified }, async (sink) => {
        await sink.write([delivered(1)]);
        assert.deepEqual(await server.run(url, inTls), [{ tls: true }]);
      });
      const stranger = new Authority("/CN=another authority");
      try {
        const strange = `${url}?sslmode=verify-full&sslrootcert=${stranger.root.certFile}`;
        assert.match(
          await refusal({ url: strange }),
          /^AUDIT_UNAVAILABLE: .*certificate.*sslrootcert/,
        );
      } finally {
        stranger.remove();
      }
    },
  );
});
