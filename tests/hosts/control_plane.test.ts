/** The whole gateway as a process: reload by file and signal, shutdown by an operator, TLS of operators. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { stringify } from "smol-toml";
import { readLocalGateways } from "../../cli/local_gateways.ts";
import { Authority, type Certificate } from "../support/certificates.ts";
import { fixtureBackend } from "../support/core.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { proves } from "../support/proves.ts";
import { RunningProgram } from "../support/running_program.ts";
import { commandOf } from "../support/runtime.ts";
import { Client, StreamableHTTPClientTransport } from "../support/sdk.ts";

const LIMIT_MS = 20_000;
const backends = { demo: fixtureBackend() };

/** Starts a gateway for one test. */
async function withGateway(tables: object, work: (gateway: Gateway) => Promise<void>) {
  const gateway = await startGateway(stringify(tables));
  try {
    await work(gateway);
  } finally {
    await gateway.stop();
  }
}

/** A request of an admin over plain HTTP. */
async function ask({ managementUrl, token }: Gateway, method: string, path: string) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const body = method === "GET" ? {} : { body: "{}" };
  const answer = await fetch(`${managementUrl}${path}`, { method, headers, ...body });
  return { status: answer.status, body: await answer.json() };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error("The condition was not met in time");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ name: "test", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}

describe("reload of a gateway process", () => {
  it("a changed file is taken up, a broken one refused, and the gateway goes on", () =>
    withGateway({ backends }, async (gateway) => {
      await gateway.rewrite(stringify({ backends, server: { instructions: "new words" } }));
      await gateway.printed(/"event":"config\.reloaded".*"by":"file watch"/);
      await gateway.rewrite('[backends.demo]\nurl = "no url"\n');
      const [line] = await gateway.printed(/.*"event":"config\.rejected".*/);
      const { issues: [issue] } = JSON.parse(line);
      assert.equal(issue.path, "backends.demo.url");
      assert.ok(issue.line > 0 && issue.message !== "", line);
      const client = await connect(gateway.url);
      assert.equal(client.getInstructions(), "new words");
      await client.close();
      const { body: { config } } = await ask(gateway, "GET", "/manage/v1/status");
      assert.equal(config.loadedBy, "file watch");
    }));

  it("without watching only SIGHUP and operators reload", {
    skip: process.platform === "win32",
  }, () => {
    const unwatched = { backends, reload: { watch: false } };
    return withGateway(unwatched, async (gateway) => {
      await gateway.rewrite(stringify({ ...unwatched, server: { instructions: "new words" } }));
      const { body: diff } = await ask(gateway, "POST", "/manage/v1/config/diff");
      assert.deepEqual(diff.changes.map(({ path }: { path: string }) => path), [
        "server.instructions",
      ]);
      process.kill(gateway.pid, "SIGHUP");
      await gateway.printed(/"event":"config\.reloaded".*"by":"signal"/);
      process.kill(gateway.pid, "SIGHUP");
      await gateway.printed(/"event":"config\.unchanged"/);
      assert.doesNotMatch(gateway.stderr, /file watch/);
    });
  });

  it("a new token is accepted, the one it replaces refused, and both are masked", async () => {
    const [former, next] = [
      "former-token-0123456789abcdef0123456",
      "next-token-0123456789abcdef01234567",
    ];
    const home = await mkdtemp(join(tmpdir(), "sentinel-token-"));
    const file = join(home, "token");
    const tokens = [{ name: "grafana", scope: "read", value: `\${file:${file}}` }];
    const tables = { backends, management: { tokens } };
    const statusWith = (gateway: Gateway, token: string) =>
      ask({ ...gateway, token }, "GET", "/manage/v1/status").then(({ status }) => status);
    try {
      await writeFile(file, former, { mode: 0o600 });
      await withGateway(tables, async (gateway) => {
        assert.equal(await statusWith(gateway, former), 200);
        await writeFile(file, next, { mode: 0o600 });
        const { body: reload } = await ask(gateway, "POST", "/manage/v1/reload");
        assert.equal(reload.outcome, "applied");
        assert.ok(!JSON.stringify(reload).includes("-token-"));
        assert.equal(await statusWith(gateway, next), 200);
        assert.equal(await statusWith(gateway, former), 401);
        for (const token of [former, next]) {
          await ask(gateway, "GET", `/manage/v1/backends/${token}`);
          await ask(gateway, "PUT", `/manage/v1/kill-switches/nonsense/${token}`);
        }
        const { body: events } = await ask(gateway, "GET", "/manage/v1/events?after=0");
        assert.doesNotMatch(JSON.stringify(events) + gateway.stderr, /(former|next)-token-/);
      });
    } finally {
      await rm(home, { recursive: true });
    }
  });
});

describe("shutdown by an operator", () => {
  proves(
    "S5",
    "is refused unless it is allowed",
    () =>
      withGateway({ backends }, async (gateway) => {
        const { status, body } = await ask(gateway, "POST", "/manage/v1/shutdown");
        assert.deepEqual([status, body.error.code], [403, "OPERATION_DISABLED"]);
      }),
  );

  proves("S5", "drains, tells that it stops until the end, and exits with 0", async () => {
    const gateway = await startGateway(stringify({
      backends,
      server: { drain_timeout: "3s" },
      management: { allow_shutdown: true },
    }));
    try {
      const client = await connect(gateway.url);
      const ended = client.callTool({ name: "demo__wait", arguments: {} }).catch(() => "ended");
      await until(async () => (await ask(gateway, "GET", "/manage/v1/status")).body.inFlight > 0);
      const { status, body } = await ask(gateway, "POST", "/manage/v1/shutdown");
      assert.deepEqual([status, body.operation], [200, "shutdown"]);
      const { body: during } = await ask(gateway, "GET", "/manage/v1/status");
      assert.deepEqual([during.state, during.inFlight], ["stopping", 1]);
      assert.deepEqual(await gateway.exited, { code: 0 });
      await client.close();
      assert.equal(await ended, "ended");
    } finally {
      await gateway.stop();
    }
  });
});

describe("TLS of the management listener", () => {
  const overTls = (gateway: Gateway, ca: string, client?: Certificate) =>
    new Promise<number>((resolve, reject) => {
      const identity = client === undefined ? {} : { cert: client.cert, key: client.key };
      const headers = {
        authorization: `Bearer ${gateway.token}`,
        "content-type": "application/json",
      };
      const url = new URL("/manage/v1/reload", gateway.managementUrl);
      const options = { method: "POST", headers, ca, agent: false, ...identity };
      const sent = request(url, options, (response) => {
        response.resume().on("end", () => resolve(response.statusCode ?? 0));
      });
      sent.on("error", reject).end("{}");
    });

  proves("S3", "asks for a client certificate, and the journal names whose it was", async () => {
    const authority = new Authority();
    try {
      const server = authority.issue({ subject: "/CN=localhost", use: "server" });
      const anna = authority.issue({ subject: "/O=Example/CN=anna", use: "client" });
      const { certFile: cert, keyFile: key } = server;
      const tls = { cert, key, client_ca: authority.root.certFile };
      await withGateway({ backends, management: { tls } }, async (gateway) => {
        assert.match(gateway.managementUrl, /^https:\/\/127\.0\.0\.1:/);
        await assert.rejects(overTls(gateway, authority.root.cert));
        assert.equal(await overTls(gateway, authority.root.cert, anna), 200);
        const gateways = join(gateway.home, "mcp-sentinel", "gateways");
        const names = await readdir(gateways, { recursive: true });
        const journal = names.find((name) => name.endsWith("journal.ndjson")) ?? "none";
        const [first = ""] = (await readFile(join(gateways, journal), "utf8")).split("\n");
        assert.deepEqual(JSON.parse(first).operation.actor, {
          name: "cli",
          scope: "admin",
          subject: "CN=anna,O=Example",
          address: "127.0.0.1",
        });
      });
    } finally {
      authority.remove();
    }
  });
});

describe("a start that is refused", () => {
  /** Runs `server` to its end. */
  const refused = async (toml: string, argv: readonly string[] = []) => {
    const folder = await mkdtemp(join(tmpdir(), "sentinel-refused-"));
    try {
      const file = join(folder, "sentinel.toml");
      await writeFile(file, toml, { mode: 0o600 });
      const command = commandOf("cli/main.ts", ["server", "-c", file, ...argv]);
      const { PATH } = process.env;
      const program = new RunningProgram(command, { PATH, HOME: folder, NO_COLOR: "1" });
      const { code } = await program.exited;
      return { code, out: program.stdout, err: program.stderr };
    } finally {
      await rm(folder, { recursive: true });
    }
  };

  it("says that the management address is taken", () =>
    withGateway({ backends }, async (gateway) => {
      const { host, port } = new URL(gateway.managementUrl);
      const toml = `[server]\nlisten = "127.0.0.1:0"\n[management]\nlisten = "${host}"\n`;
      const { code, out, err } = await refused(toml);
      assert.deepEqual([code, out], [1, ""]);
      assert.match(
        err,
        new RegExp(`^error: management address 127\\.0\\.0\\.1:${port} is taken\n`),
      );
    }));

  it("says which TLS file cannot be used, by the path it was looked for", async () => {
    const toml = '[server]\nlisten = "127.0.0.1:0"\n[management]\nlisten = "127.0.0.1:0"\n';
    const files = '[management.tls]\ncert = "tls/a.crt"\nkey = "tls/a.key"\n';
    const { code, err } = await refused(toml + files);
    assert.equal(code, 3);
    assert.match(
      err,
      /^error: Cannot use management\.tls\.cert = "\/.*\/tls\/a\.crt": no such file\n/,
    );
  });
});

describe("a gateway in a terminal", () => {
  it("reloads on SIGHUP while the terminal is there, and stops when it has gone", {
    skip: process.platform !== "linux",
  }, async () => {
    const home = await mkdtemp(join(tmpdir(), "sentinel-terminal-"));
    const { command, args } = commandOf("cli/main.ts", ["up"]);
    const line = [command, ...args, "--listen 127.0.0.1:0 --management-port 0"].join(" ");
    const { PATH } = process.env;
    // A pseudo-terminal whose other end goes with `script`.
    const terminal = spawn("script", ["-qec", `exec ${line}`, "/dev/null"], {
      cwd: home,
      env: { PATH, HOME: home },
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      let shown = "";
      terminal.stdout.setEncoding("utf8").on("data", (text: string) => shown += text);
      const stateDir = join(home, ".local", "state", "mcp-sentinel");
      await until(() => /gateway\.started/.test(shown));
      const pid = readLocalGateways(stateDir)[0]?.pid ?? assert.fail("no gateway was found");
      process.kill(pid, "SIGHUP");
      await until(() => /config\.rejected/.test(shown));
      assert.ok(isRunning(pid));
      terminal.kill("SIGKILL");
      await until(() => !isRunning(pid));
      assert.deepEqual(readLocalGateways(stateDir), []);
    } finally {
      terminal.kill("SIGKILL");
      await rm(home, { recursive: true, force: true });
    }
  });
});
