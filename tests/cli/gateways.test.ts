/** Which gateway a command talks to, and over what. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { toFetch } from "../../src/core/mod.ts";
import { SystemClock } from "../../src/hosts/clock.ts";
import { type Listener, serve } from "../../src/hosts/serve.ts";
import { Authority } from "../support/certificates.ts";
import { startManagement, type TestManagement, TOKENS } from "../support/management.ts";
import { proves } from "../support/proves.ts";
import { type FakeIoOptions, runCli } from "./fake_io.ts";
import { withOperator } from "./operator.ts";

let home: string;
const begin = async () => {
  home = await mkdtemp(join(tmpdir(), "sentinel-gateways-"));
};
const end = () => rm(home, { recursive: true });
const run = (argv: readonly string[], options: FakeIoOptions = {}) =>
  runCli(argv, {
    cwd: home,
    ...options,
    env: {
      XDG_CONFIG_HOME: join(home, "conf"),
      XDG_STATE_HOME: join(home, "state"),
      ADMIN: TOKENS.admin,
      READ: TOKENS.read,
      ...options.env,
    },
  });
const add = (name: string, url: URL | string, ...options: string[]) =>
  run(["profile", "add", name, "--url", String(url), ...options]);
const nameOf = async (...argv: string[]) => {
  const { out, err } = await run(["status", "--json", ...argv]);
  assert.notEqual(out, "", err);
  return JSON.parse(out).name;
};

describe("the gateway of a command", () => {
  beforeEach(begin);
  afterEach(end);

  /** Two gateways, as one person has them. */
  const withTwo = (work: (one: URL, two: URL) => Promise<void>) =>
    withOperator(
      { config: { server: { name: "one" } } },
      ({ url: one }) =>
        withOperator({ config: { server: { name: "two" } } }, ({ url: two }) => work(one, two)),
    );

  /** What a gateway of this user leaves in the state folder. */
  const announce = async (name: string, url: URL) => {
    const folder = join(home, "state/mcp-sentinel/gateways");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const record = {
      name,
      pid: process.pid,
      startedAt: new Date().toISOString(),
      management: url.origin,
      token: TOKENS.admin,
    };
    await writeFile(join(folder, `${name}.json`), JSON.stringify(record), { mode: 0o600 });
  };

  proves(
    "S8",
    "is the one of --profile, then of --management, then the chosen one",
    () =>
      withTwo(async (one, two) => {
        await add("first", one, "--token-env", "ADMIN");
        await add("second", two, "--token-env", "READ");
        assert.equal(await nameOf("-p", "first"), "one");
        assert.equal(await nameOf("-p", "second"), "two");
        await run(["profile", "use", "second"]);
        assert.equal(await nameOf(), "two");
        const address = ["--management-port", one.port, "--management-token-env", "READ"];
        assert.equal(await nameOf(...address), "one");
        assert.equal(await nameOf("-p", "second", ...address), "two");
        const both = await run(["status", "-p", "second", ...address]);
        assert.match(both.err, /--profile wins over the --management options/);
        assert.equal((await run(["reload", "-p", "first"])).code, 0);
        assert.equal((await run(["reload", "-p", "second"])).code, 5);
        assert.equal(await nameOf("-p", "first"), "one");
      }),
  );

  it("is the only one of this user on this machine, when nothing else is said", () =>
    withTwo(async (one, two) => {
      const none = await run(["status"]);
      assert.equal(none.code, 4);
      assert.match(none.err, /no gateway of yours runs on this machine\n {2}help: mcp-sentinel up/);
      await announce("one", one);
      assert.equal(await nameOf(), "one");
      assert.match((await run(["profile", "list"])).out, /\* {2}one {3}local/);
      await announce("two", two);
      const many = await run(["status"]);
      assert.equal(many.code, 4);
      assert.match(many.err, /2 gateways run on this machine; which one\?/);
      assert.ok(many.err.includes(`--management-port ${two.port}   two`), many.err);
      assert.equal(await nameOf("--management-port", two.port), "two");
      assert.doesNotMatch(many.err, new RegExp(TOKENS.admin));
    }));

  it("profile test says what answers, or which step failed", () =>
    withTwo(async (one) => {
      await add("good", one, "--token-env", "ADMIN");
      const good = await run(["profile", "test", "good"]);
      assert.equal(good.code, 0);
      assert.match(good.out, /^good {2}http:.* answers in \d+ms\n {2}one {2}\w+ {2}0\.0\.0-test/);
      const json = JSON.parse((await run(["profile", "test", "good", "--json"])).out);
      assert.equal(json.schema, "mcp-sentinel/v1/profile-test");
      assert.equal(json.gateway, "one");
      await add("unset", one, "--token-env", "NO_SUCH");
      assert.equal((await run(["profile", "test", "unset"])).code, 5);
      await add("gone", "http://127.0.0.1:1");
      assert.equal((await run(["profile", "test", "gone", "--timeout", "5s"])).code, 4);
    }));

  it("reads tokens of files, relative ones too, and warns when others may read them", () =>
    withTwo(async (one) => {
      await writeFile(join(home, "token"), `${TOKENS.admin}\n`, { mode: 0o600 });
      await add("file", one, "--token-file", "token");
      const good = await run(["profile", "test", "file"]);
      assert.deepEqual([good.code, good.err], [0, ""]);
      if (process.platform !== "win32") {
        await chmod(join(home, "token"), 0o644);
        assert.match(
          (await run(["profile", "test", "file"])).err,
          /warning: others may read the token/,
        );
      }
      await writeFile(join(home, "token"), "\n");
      const empty = await run(["profile", "test", "file"]);
      assert.equal(empty.code, 5);
      assert.match(empty.err, /cannot read the token in ".*": it is empty/);
    }));

  it("of production asks for its name before every change", () =>
    withTwo(async (one) => {
      await add("prod", one, "--token-env", "ADMIN", "--production");
      const reload = ["reload", "-p", "prod"];
      const unattended = await run(reload);
      assert.equal(unattended.code, 2);
      assert.match(
        unattended.err,
        /production profile, and nobody is here to ask\n {2}help: --yes/,
      );
      for (const answer of ["y", "yes", "production", ""]) {
        assert.equal((await run(reload, { ask: () => Promise.resolve(answer) })).code, 1);
      }
      assert.equal((await run(reload, { ask: () => Promise.resolve("prod") })).code, 0);
      assert.equal((await run([...reload, "--yes"])).code, 0);
      assert.equal((await run(["diff", "-p", "prod"])).code, 0);
    }));
});

describe("a gateway behind TLS", () => {
  let authority: Authority;
  let management: TestManagement;
  const listeners: Listener[] = [];
  before(async () => {
    authority = new Authority();
    management = await startManagement();
  });
  beforeEach(begin);
  afterEach(async () => {
    for (const listener of listeners.splice(0)) {
      const closed = listener.close();
      listener.abort();
      await closed;
    }
    await end();
  });
  after(async () => {
    await management.stop();
    authority.remove();
  });

  async function listen(days: number, mutual: boolean): Promise<string> {
    const { cert, key } = authority.issue({ subject: "/CN=localhost", use: "server", days });
    const listener = await serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: toFetch(management.manage.handle),
      handle: management.manage.handle,
      maxBodyBytes: 65_536,
      clock: new SystemClock(),
      tls: { cert, key, ...(mutual ? { clientCa: authority.root.cert } : {}) },
    });
    listeners.push(listener);
    return `https://127.0.0.1:${listener.port}`;
  }
  const ca = () => ["--ca", authority.root.certFile];
  const test = (name: string) => run(["profile", "test", name]);

  it("is trusted by its authority, and no other way", async () => {
    const url = await listen(2, false);
    await add("good", url, ...ca(), "--token-env", "ADMIN");
    const good = await test("good");
    assert.equal(good.code, 0, good.err);
    await add("stranger", url, "--token-env", "ADMIN");
    const stranger = await test("stranger");
    assert.equal(stranger.code, 4);
    assert.match(
      stranger.err,
      /^error: Cannot reach https:\S+: its certificate is not from an authority this machine trusts/,
    );
    assert.match(stranger.err, /help: name the authority with --ca/);
  });

  it("with an expired certificate is refused in these words", async () => {
    await add("old", await listen(-1, false), ...ca());
    const old = await test("old");
    assert.equal(old.code, 4);
    assert.match(old.err, /a certificate has expired/);
  });

  it("may want a client certificate", async () => {
    const url = await listen(2, true);
    const anna = authority.issue({ subject: "/CN=anna", use: "client" });
    const token = ["--token-env", "ADMIN"];
    await add("anna", url, ...ca(), ...token, "--cert", anna.certFile, "--key", anna.keyFile);
    const good = await test("anna");
    assert.equal(good.code, 0, good.err);
    await add("nobody", url, ...ca(), ...token);
    const nobody = await test("nobody");
    assert.equal(nobody.code, 4);
    assert.match(nobody.err, /^error: Cannot reach https:\S+: it wants a client certificate that/);
    const plain = await run([
      "status",
      "--management-host",
      "https://127.0.0.1",
      "--management-port",
      "1",
    ]);
    assert.match(plain.err, /^error: Cannot reach https:\/\/127\.0\.0\.1:1: /);
    const options = [
      "--management-port",
      new URL(url).port,
      "--management-token-env",
      "ADMIN",
      "--management-mtls-ca",
      authority.root.certFile,
      "--management-tls-cert",
      anna.certFile,
      "--management-tls-key",
      anna.keyFile,
    ];
    assert.equal(await nameOf(...options), "mcp-sentinel");
  });

  it("streams events, and lets go of them", async () => {
    await add("tls", await listen(2, false), ...ca(), "--token-env", "ADMIN");
    const log = management.gateway.core.control.events.beside({ write: () => {} });
    log.write("config.unchanged", {});
    const stop = new AbortController();
    const argv = ["events", "tail", "-p", "tls", "--after", "0", "--json"];
    const { code } = await run(argv, { interrupt: stop.signal, onOut: () => stop.abort() });
    assert.equal(code, 130);
  });

  it("that breaks off in the middle of a stream is told, and tried again", async () => {
    await add("tls", await listen(2, false), ...ca(), "--token-env", "ADMIN");
    management.gateway.core.control.events.beside({ write: () => {} }).write("config.unchanged");
    const stop = new AbortController();
    const argv = ["events", "tail", "-p", "tls", "--after", "0", "--json"];
    const onErr = (text: string) => text.startsWith("connection lost") && stop.abort();
    const onOut = () => listeners[0]?.abort();
    const { code, err } = await run(argv, { interrupt: stop.signal, onOut, onErr });
    assert.equal(code, 130);
    assert.match(err, /^connected\nconnection lost: .*; next try in \ds\n$/);
  });

  it("files that are no certificates are told", async () => {
    await writeFile(join(home, "no.pem"), "nothing");
    await add("bad", "https://127.0.0.1:1", "--ca", "no.pem");
    const bad = await test("bad");
    assert.equal(bad.code, 2);
    assert.match(bad.err, /no\.pem" holds no certificate or key in PEM form/);
    await add("none", "https://127.0.0.1:1", "--ca", "none.pem");
    assert.match((await test("none")).err, /cannot read ".*none\.pem"/);
  });
});
