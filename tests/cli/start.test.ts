import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { nameOf } from "../../cli/server_name.ts";
import type { Gateway, Io } from "../../cli/io.ts";
import { SentinelError } from "../../src/contract/mod.ts";
import { runCli } from "./fake_io.ts";

type StartOptions = Parameters<Awaited<ReturnType<Io["loadHost"]>>["startGateway"]>[0];

/** A gateway that remembers how it was started and is over at once; some addresses are taken. */
class FakeHost {
  readonly started: StartOptions[] = [];
  readonly #taken: ReadonlySet<string>;
  stops = 0;

  constructor(...taken: string[]) {
    this.#taken = new Set(taken);
  }

  readonly load: Io["loadHost"] = () =>
    Promise.resolve({ startGateway: (options: StartOptions) => this.#start(options) });

  #start(options: StartOptions): Promise<Gateway> {
    const { server, management } = options.config;
    for (const [listener, { listen }] of Object.entries({ server, management })) {
      if (!this.#taken.has(listen)) continue;
      const failure = { code: "EADDRINUSE", listener, address: listen };
      return Promise.reject(Object.assign(new Error("taken"), failure));
    }
    this.started.push(options);
    return Promise.resolve({
      url: options.listen ? `http://${server.listen}` : undefined,
      managementUrl: options.listen ? `http://${management.listen}` : undefined,
      snapshot: () => {
        throw new Error("not asked for in these tests");
      },
      fetch: () => Promise.reject(new Error("not asked for in these tests")),
      attach: () => Promise.resolve(),
      stdio: () => Promise.resolve(),
      stop: () => Promise.resolve(void this.stops++),
      finished: Promise.resolve(),
    });
  }
}

describe("starting a gateway", () => {
  let cwd: string;
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), "sentinel-start-"));
    await write(
      "good.toml",
      '[backends.a]\ncommand = "npx"\ncwd = "tools"\n[management]\nconsole = true\n',
    );
    await write("open.toml", '[server]\nlisten = "0.0.0.0:8808"\n');
    await write("bad.toml", "[server]\nnmae = 1\n");
  });
  after(() => rm(cwd, { recursive: true }));

  const write = async (name: string, text: string) => {
    await writeFile(join(cwd, name), text);
    await chmod(join(cwd, name), 0o644);
  };
  const run = (argv: readonly string[], host: FakeHost, env: Record<string, string> = {}) =>
    runCli(argv, { cwd, env: { HOME: join(cwd, "home"), ...env }, loadHost: host.load });

  it("up needs no file, and prints the endpoint and what to do next", async () => {
    const host = new FakeHost();
    const { code, out, err } = await run(["up"], host);
    assert.equal(code, 0, err);
    assert.match(out, /no config file, using safe defaults/);
    assert.match(out, /MCP endpoint {3}http:\/\/127\.0\.0\.1:8808\/mcp/);
    assert.match(out, /Connect a client: +mcp-sentinel connect claude-code \| /);
    assert.match(out, /mcp-sentinel init/);
    assert.match(out, /Management {5}http:\/\/127\.0\.0\.1:8809 /);
    assert.doesNotMatch(out, /undefined/);
    assert.equal(host.started[0]?.listen, true);
  });

  it("up --from found starts what clients have, with their credentials masked", async () => {
    const home = join(cwd, "found");
    await mkdir(join(home, ".cursor"), { recursive: true });
    await mkdir(join(home, "project"));
    const secret = "literal-credential-0123456789";
    const servers = {
      one: { command: "npx", args: ["-y", "one"], env: { ONE_TOKEN: secret } },
      two: { url: "https://two.example.com/mcp", headers: { "X-Key": "${env:NOT_SET_ANYWHERE}" } },
      three: { url: "ftp://three.example.com" },
    };
    await writeFile(join(home, ".cursor", "mcp.json"), JSON.stringify({ mcpServers: servers }));
    const start = (host: FakeHost, ...more: string[]) =>
      runCli(["up", ...more], {
        cwd: join(home, "project"),
        env: { HOME: home },
        loadHost: host.load,
      });
    const host = new FakeHost();
    const { code, out, err } = await start(host, "--from", "found");
    assert.equal(code, 0, err);
    assert.match(out, /Backends {7}one\n/);
    assert.match(err, /not started: three \(/);
    assert.match(err, /not started: two \(NOT_SET_ANYWHERE is not set\)/);
    const [started] = host.started;
    assert.equal(started?.config.backends["one"]?.env?.["ONE_TOKEN"], secret);
    assert.ok(started?.secrets.includes(secret));
    assert.equal(out.includes(secret) || err.includes(secret), false);

    const idle = await start(new FakeHost());
    assert.match(
      idle.out,
      /Found \d servers in 1 client file[^]*— not started:\n[^]*up --from found/,
    );
    const quiet = await start(new FakeHost(), "-q");
    assert.deepEqual([quiet.code, quiet.out], [0, ""]);
  });

  it("up --from found needs servers to be found, and no file", async () => {
    const none = await run(["up", "--from", "found"], new FakeHost());
    assert.equal(none.code, 1);
    assert.match(none.err, /no servers were found in the files of clients/);
    const both = await run(["up", "--from", "found", "-c", "good.toml"], new FakeHost());
    assert.equal(both.code, 2);
    assert.match(
      both.err,
      /for a start without "good\.toml"\n {2}help: mcp-sentinel import --write/,
    );
  });

  it("up takes the next port when the default one is taken, but not that of the management", async () => {
    const host = new FakeHost("127.0.0.1:8808");
    const { code, out } = await run(["up"], host);
    assert.equal(code, 0);
    assert.match(out, /http:\/\/127\.0\.0\.1:8810\/mcp/);
  });

  it("up moves the management port, too", async () => {
    const host = new FakeHost("127.0.0.1:8808", "127.0.0.1:8809", "127.0.0.1:8811");
    const { code, out } = await run(["up", "--json"], host);
    assert.equal(code, 0);
    const { url, management } = JSON.parse(out);
    assert.equal(url, "http://127.0.0.1:8810/mcp");
    assert.equal(management, "http://127.0.0.1:8812");
  });

  it("a port that up has moved is no change for a reload", async () => {
    const host = new FakeHost("127.0.0.1:8808", "127.0.0.1:8809");
    await run(["up", "-c", "good.toml"], host);
    const [started] = host.started;
    const again = await started?.source.read?.();
    assert.equal(started?.config.server.listen, "127.0.0.1:8810");
    assert.deepEqual(again?.config, started?.config);
  });

  it("up without a file has nothing to read again", async () => {
    const host = new FakeHost();
    await run(["up"], host);
    assert.deepEqual(host.started[0]?.source, { name: "command line", identity: cwd });
  });

  it("server says when the management address is taken", async () => {
    const argv = ["server", "-c", "good.toml"];
    const { code, err } = await run(argv, new FakeHost("127.0.0.1:8809"));
    assert.equal(code, 1);
    assert.match(
      err,
      /^error: management address 127\.0\.0\.1:8809 is taken\n {2}help: .*--management-port/,
    );
  });

  it("the management options win over environment and file", async () => {
    const host = new FakeHost();
    const token = "x".repeat(40);
    const elsewhere = { SENTINEL_MANAGEMENT_LISTEN: "127.0.0.2:9500" };
    const cases = [
      [["--management-port", "9001"], {}, "127.0.0.1:9001"],
      [["--management-port", "9001"], elsewhere, "127.0.0.2:9001"],
      [["--management-host", "::1"], elsewhere, "[::1]:9500"],
      [["--management-host", "localhost", "--management-port", "1"], elsewhere, "localhost:1"],
    ] as const;
    for (const [argv, env, listen] of cases) {
      const { code, err } = await run(["server", "-c", "good.toml", ...argv], host, env);
      assert.equal(code, 0, err);
      assert.equal(host.started.at(-1)?.config.management.listen, listen);
    }
    const tls = ["--management-tls-cert", "a.crt", "--management-tls-key", "/keys/a.key"];
    const more = [...tls, "--management-mtls-ca", "ca.crt", "--management-token-env", "OPERATOR"];
    await run(["server", "-c", "good.toml", ...more], host, { OPERATOR: `${token}\n` });
    const { config, secrets } = host.started.at(-1) ?? assert.fail();
    assert.deepEqual(config.management.tls, {
      cert: join(cwd, "a.crt"),
      key: resolve("/keys/a.key"),
      client_ca: join(cwd, "ca.crt"),
    });
    assert.deepEqual(config.management.tokens, [{ name: "cli", scope: "admin", value: token }]);
    assert.ok(secrets.includes(token), "the token is masked in every output");
  });

  it("a token variable that is not set is exit code 3", async () => {
    for (const OPERATOR of ["", " \n"]) {
      const argv = ["server", "-c", "good.toml", "--management-token-env", "OPERATOR"];
      const { code, err } = await run(argv, new FakeHost(), { OPERATOR });
      assert.equal(code, 3);
      assert.match(
        err,
        /^error: --management-token-env OPERATOR: the variable is not set\n {2}help/,
      );
    }
  });

  it("what the gateway itself refuses is said as it says it", async () => {
    const cases = [["CONFIG_INVALID", 3], ["AUDIT_UNAVAILABLE", 1]] as const;
    for (const [name, expected] of cases) {
      const failure = new SentinelError(name, "Cannot use this, because");
      const loadHost: Io["loadHost"] = () =>
        Promise.resolve({ startGateway: () => Promise.reject(failure) });
      for (const argv of [["up"], ["server", "-c", "good.toml"], ["stdio", "-c", "good.toml"]]) {
        const { code, err, out } = await runCli(argv, { cwd, loadHost });
        assert.deepEqual([code, out], [expected, ""]);
        assert.match(err, /^error: Cannot use this, because\n$/);
      }
    }
  });

  it("reads the file again as at the start, with the same options", async () => {
    const host = new FakeHost();
    await write("again.toml", "[server]\nname = 'one'\n");
    await run(["server", "-c", "again.toml", "--listen", "127.0.0.1:7"], host);
    const { source } = host.started[0] ?? assert.fail();
    assert.deepEqual([source.name, source.identity], ["again.toml", join(cwd, "again.toml")]);
    await write("again.toml", "[server]\nname = 'two'\n");
    const again = await source.read?.();
    assert.equal(again?.config.server.name, "two");
    assert.equal(again?.config.server.listen, "127.0.0.1:7");
    await chmod(join(cwd, "again.toml"), 0o666);
    await assert.rejects(source.read?.() ?? Promise.resolve(), /everybody may write "again\.toml"/);
  });

  it("up gives up after twenty ports", async () => {
    const ports = Array.from({ length: 40 }, (_, index) => `127.0.0.1:${8808 + index}`);
    const { code, err } = await run(["up"], new FakeHost(...ports));
    assert.equal(code, 1);
    assert.match(err, /^error: 127\.0\.0\.1:8828 is taken/);
  });

  it("an address somebody chose is never changed", async () => {
    for (const command of ["up", "server"]) {
      const argv = [command, "-c", "good.toml", "--listen", "127.0.0.1:9000"];
      const { code, err } = await run(argv, new FakeHost("127.0.0.1:9000"));
      assert.equal(code, 1);
      assert.match(err, /^error: 127\.0\.0\.1:9000 is taken\n {2}help: .*--listen/);
    }
  });

  it("up adds the servers of the command line to those of the file", async () => {
    const host = new FakeHost();
    const argv = ["up", "-c", "good.toml", "--backend", "docs=https://docs.example.com/mcp"];
    const { code, out, err } = await run(
      [...argv, "--", "npx", "-y", "@scope/some-server@1.2.3", "--root", "."],
      host,
    );
    assert.equal(code, 0, err);
    assert.match(out, /Backends {7}a, docs, some-server/);
    const { backends } = host.started[0]?.config ?? assert.fail();
    assert.equal(backends["docs"]?.url, "https://docs.example.com/mcp");
    assert.equal(backends["some-server"]?.command, "npx");
    assert.deepEqual(backends["some-server"]?.args, [
      "-y",
      "@scope/some-server@1.2.3",
      "--root",
      ".",
    ]);
    assert.equal(backends["some-server"]?.cwd, resolve(cwd));
  });

  it("up refuses what names no backend or two of them", async () => {
    const wrong = [
      [["--backend", "https://a.example.com"], 2, /names no backend/],
      [["--backend", "a=https://a", "--backend", "a=https://b"], 2, /two backends are named "a"/],
      [["--backend", "a=ftp://a"], 3, /is not a valid URL\n {2}--> --backend a\n/],
      [["--backend", "../a=https://a"], 3, /cannot be used as a name/],
    ] as const;
    for (const [argv, expected, message] of wrong) {
      const host = new FakeHost();
      const { code, err } = await run(["up", ...argv], host);
      assert.equal(code, expected, err);
      assert.match(err, message);
      assert.equal(host.started.length, 0);
    }
  });

  it("up --json prints one object", async () => {
    const { out } = await run(["up", "--json"], new FakeHost());
    const { schema, url, backends } = JSON.parse(out);
    assert.deepEqual([schema, url, backends], [
      "mcp-sentinel/v1/up",
      "http://127.0.0.1:8808/mcp",
      [],
    ]);
  });

  it("server hands over configuration, notices and folder of state", async () => {
    const host = new FakeHost();
    const env = { XDG_STATE_HOME: join(cwd, "state") };
    const { code, out } = await run(["server", "-c", "good.toml"], host, env);
    assert.equal(code, 0);
    assert.match(out, /MCP endpoint +http:[^]*Connect a client:/);
    const [started] = host.started;
    assert.equal(started?.stateDir, join(cwd, "state", "mcp-sentinel"));
    assert.deepEqual(started?.notices, ["management.console has no effect yet"]);
  });

  it("a relative folder of a backend counts from the configuration", async () => {
    const host = new FakeHost();
    await run(["server", "-c", "good.toml"], host);
    assert.equal(host.started[0]?.config.backends["a"]?.cwd, join(cwd, "tools"));
  });

  it("options win over environment and file", async () => {
    const host = new FakeHost();
    const env = { SENTINEL_SERVER_LISTEN: "127.0.0.1:2", SENTINEL_TELEMETRY_LOG_LEVEL: "error" };
    const argv = ["server", "-c", "good.toml"];
    await run([...argv, "--listen", "127.0.0.1:3", "--log-level", "debug"], host, env);
    await run(argv, host, env);
    await run([...argv, "-v"], host);
    await run([...argv, "-q"], host);
    const seen = host.started.map((
      { config },
    ) => [config.server.listen, config.telemetry.log.level]);
    assert.deepEqual(seen, [
      ["127.0.0.1:3", "debug"],
      ["127.0.0.1:2", "error"],
      ["127.0.0.1:8808", "debug"],
      ["127.0.0.1:8808", "error"],
    ]);
  });

  it("stdio listens nowhere, writes nothing to stdout, and stops the gateway", async () => {
    const host = new FakeHost();
    const { code, out } = await run(["stdio", "-c", "good.toml"], host);
    assert.equal(code, 0);
    assert.equal(out, "");
    assert.equal(host.started[0]?.listen, false);
    assert.equal(host.stops, 1);
  });

  it("an unsafe configuration is exit code 78 for every way to start", async () => {
    for (const command of ["up", "server", "stdio"]) {
      const host = new FakeHost();
      const { code, out, err } = await run([command, "-c", "open.toml"], host);
      assert.equal(code, 78, command);
      assert.equal(out, "");
      assert.match(err, /refusing to listen on 0\.0\.0\.0:8808 without authentication/);
      assert.equal(host.started.length, 0);
    }
    for (const argv of [["up"], ["server", "-c", "good.toml"]]) {
      const { code } = await run([...argv, "--listen", "[::]:8808"], new FakeHost());
      assert.equal(code, 78);
    }
  });

  it("a broken or missing configuration is exit code 3 for every way to start", async () => {
    for (const command of ["up", "server", "stdio"]) {
      for (const file of ["bad.toml", "missing.toml"]) {
        const { code, out } = await run([command, "-c", file], new FakeHost());
        assert.equal(code, 3, `${command} ${file}`);
        assert.equal(out, "");
      }
    }
    assert.equal((await run(["server"], new FakeHost())).code, 3);
  });

  it("a configuration everybody may write is refused, one of the group warned about", {
    skip: process.platform === "win32",
  }, async () => {
    await chmod(join(cwd, "good.toml"), 0o666);
    const refused = await run(["server", "-c", "good.toml"], new FakeHost());
    assert.equal(refused.code, 78);
    assert.match(refused.err, /everybody may write "good\.toml".*\n {2}help: chmod o-w good\.toml/);
    await chmod(join(cwd, "good.toml"), 0o664);
    const warned = await run(["server", "-c", "good.toml"], new FakeHost());
    assert.equal(warned.code, 0);
    assert.match(warned.err, /^warning: the group may write/);
    await chmod(join(cwd, "good.toml"), 0o644);
  });

  it("a defect is reported as such, with its place only when asked for", async () => {
    const loadHost = () => Promise.reject(new TypeError("x is not a function"));
    const defect = await runCli(["up"], { cwd, loadHost });
    assert.equal(defect.code, 1);
    assert.match(defect.err, /^error: x is not a function\n {2}help: this is a defect/);
    assert.doesNotMatch(defect.err, /\bat /);
    assert.match((await runCli(["up", "-v"], { cwd, loadHost })).err, /\n {4}at /);
  });
});

describe("nameOf()", () => {
  it("finds the server's name in a command line", () => {
    const cases = [
      ["npx -y @scope/context7-mcp@2.1.0", "context7-mcp"],
      ["node /srv/server-everything/dist/index.js stdio", "server-everything"],
      ["python -m my_server", "my_server"],
      ["docker run -i --rm mcp/fetch:latest", "fetch"],
      ["uvx mcp-server-git --repository .", "mcp-server-git"],
      ["./run.sh", "run"],
      ["node index.js", "server"],
      ["C:\\tools\\Search.exe", "search"],
      ["ÄÖÜ", "server"],
    ] as const;
    for (const [line, name] of cases) assert.equal(nameOf(line.split(" ")), name);
  });
});
