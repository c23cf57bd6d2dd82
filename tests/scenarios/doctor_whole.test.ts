import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { startGateway } from "../support/gateway.ts";
import { executable, REPOSITORY } from "../support/runtime.ts";
import {
  type Diagnosed,
  freePort,
  nothingSetUp,
  serve,
  setUp,
  toolServer,
} from "./doctor_setup.ts";

const TIMEOUT = { timeout: 60_000 };

describe("doctor where all is well", () => {
  test("no configuration, says what to do and does not fail", TIMEOUT, async () => {
    await using empty = nothingSetUp();

    const found = await empty.diagnose();

    const [row] = found.of("config");
    assert.equal(row?.level, "warn");
    assert.match(row?.text ?? "", /no configuration found/);
    assert.match(row?.cure ?? "", /mcp-sentinel up.*\nmcp-sentinel import.*\nmcp-sentinel init/);
    assert.equal(found.of("config").length, 1);
    assert.deepEqual(readdirSync(empty.folder), []);
  });

  test("backends that answer, with what they speak and offer", TIMEOUT, async () => {
    await using server = await serve(toolServer({ names: ["one", "two", "three"] }));
    await using good = setUp(
      `[backends.remote]\nurl = "${server.url}/mcp"\ntools = { deny = ["t*"] }\n` +
        `[backends.local]\ncommand = ${JSON.stringify(executable("node"))}\n` +
        `args = ["${
          join(REPOSITORY, "tests/fixtures/scripted_child.ts")
        }", "--ledger", "/dev/null"]\n` +
        '[backends.off]\ncommand = "nothing"\nenabled = false\n',
    );

    const found = await good.diagnose();

    const text = (name: string) => found.of("backend", name).map((row) => row.text).join();
    assert.match(text("remote"), /^ready in \d+ ms, 2025-06-18 \(legacy\), 1 of 3 tools$/);
    assert.match(text("local"), /^ready in \d+ ms, \d{4}-\d\d-\d\d \(legacy\), 2 tools$/);
    assert.equal(text("off"), "not enabled, not looked at");
    assert.match(found.of("names")[0]?.text ?? "", /^3 tools have names of at most 64 characters/);
    assert.equal(found.failures, 0);
    assert.equal(found.code, 0);
    assert.ok(!existsSync(join(good.folder, "state")), "nothing is left");
  });

  test("a gateway that runs, its file changed meanwhile", TIMEOUT, async () => {
    const gateway = await startGateway("[reload]\nwatch = false\n");
    try {
      await using place = nothingSetUp();
      const env = { XDG_STATE_HOME: gateway.home };
      const running = await place.diagnose(["-c", gateway.config], { env });
      writeFileSync(
        gateway.config,
        `${readFileSync(gateway.config, "utf8")}\n[kill]\ntools = ["x"]\nreason = "r"\n`,
      );
      const changed = await place.diagnose(["-c", gateway.config], { env });

      const [row] = running.of("gateway");
      assert.equal(row?.level, "ok");
      assert.match(
        row?.text ?? "",
        /^ready, up \d+s, \d+\.\d+\.\d+ on (node|deno|bun) .*config [0-9a-f]{12}$/,
      );
      assert.match(
        running.of("state")[1]?.text ?? "",
        /^state\.sqlite, schema 1 \(current\), write/,
      );
      assert.equal(running.code, 0);
      const [, news] = changed.of("gateway");
      assert.equal(news?.level, "warn");
      assert.match(news?.text ?? "", /its file has \d+ changes? that it does not run yet/);
      assert.match(news?.cure ?? "", /mcp-sentinel reload/);
    } finally {
      await gateway.stop();
    }
  });
});

describe("doctor beside a gateway", () => {
  test("its own addresses are well, those of another one are taken", TIMEOUT, async () => {
    const [clients, operators] = [await freePort(), await freePort()];
    const listen = `[server]\nlisten = "127.0.0.1:${clients}"\n` +
      `[management]\nlisten = "127.0.0.1:${operators}"\n`;
    const gateway = await startGateway(listen);
    try {
      await using other = setUp("", listen);
      const env = { XDG_STATE_HOME: gateway.home };
      const own = await other.diagnose(["-c", gateway.config], { env });
      const taken = await other.diagnose([], { env });

      const texts = (found: Diagnosed) => found.of("listener").map(({ text }) => text);
      assert.deepEqual(texts(own), [
        `127.0.0.1:${clients} is served by our gateway (pid ${gateway.pid})`,
        `127.0.0.1:${operators} is served by our gateway (pid ${gateway.pid})`,
      ]);
      assert.equal(own.code, 0);
      assert.match(
        texts(taken)[0] ?? "",
        /is taken by another gateway of yours, "mcp-sentinel" of /,
      );
      assert.equal(taken.failures, 2);
      assert.equal(
        taken.of("gateway")[0]?.text,
        "none runs with this configuration; 1 other of yours here",
      );
    } finally {
      await gateway.stop();
    }
  });
});

describe("doctor over what backends offer", () => {
  test("names over the budget, with the line that renames them", TIMEOUT, async () => {
    const long = "get_cloudformation_pre_deploy_validation_instructions";
    await using server = await serve(toolServer({ names: [long, "short"] }));
    const name = '[server]\nname = "team-gateway"\nlisten = "127.0.0.1:0"\n';
    await using place = setUp(
      `[backends.aws-iac]\nurl = "${server.url}/mcp"\n`,
      `${name}[management]\nlisten = "127.0.0.1:0"\n`,
    );

    const found = await place.diagnose();
    const [row] = found.of("names");
    const entry = /^\[backends\.aws-iac\.tools\] {2}rename = \{ (.*) = "(.*)" \}$/.exec(
      row?.cure ?? "",
    );

    assert.equal(row?.level, "warn");
    assert.match(
      row?.text ?? "",
      /^1 tool exceeds 64 characters once a client adds "mcp__team-gateway__"$/,
    );
    assert.deepEqual(row?.detail, [`longest: aws-iac__${long} (81)`]);
    assert.equal(entry?.[1], long);
    assert.ok(`mcp__team-gateway__aws-iac__${entry?.[2]}`.length <= 64);
    assert.equal(found.code, 0);
  });

  test("pattern that matches no tool, with the one that was meant", TIMEOUT, async () => {
    await using server = await serve(toolServer({ names: ["read_query", "write_query"] }));
    await using place = setUp(
      `[backends.sqlite]\nurl = "${server.url}/mcp"\ntools = { deny = ["wirte_query"] }\n` +
        '[toolsets.reading]\ntools = ["sqlite_read_*", "sqlite__read_*"]\n',
    );

    const found = await place.diagnose();
    const rows = found.of("config").filter(({ level }) => level === "warn");

    assert.deepEqual(rows.map(({ text, cure }) => [text, cure]), [
      [
        '[toolsets.reading] pattern "sqlite_read_*" matches no tool  (sentinel.toml:9:10)',
        'did you mean "sqlite__read_*"?',
      ],
      [
        '[backends.sqlite.tools] deny: "wirte_query" matches no tool of it  (sentinel.toml:7:19)',
        'did you mean "write_query"?',
      ],
    ]);
    assert.equal(found.code, 0);
  });

  test("pattern for a backend that did not answer, not judged", TIMEOUT, async () => {
    await using place = setUp(
      '[backends.one]\nurl = "http://127.0.0.1:1/mcp"\n[toolsets.t]\ntools = ["one__x", "one__*"]\n',
    );

    const found = await place.diagnose();

    assert.deepEqual(found.of("config").filter(({ level }) => level === "warn"), []);
  });
});
