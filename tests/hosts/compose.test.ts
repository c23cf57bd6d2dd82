import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, beforeEach, describe, it } from "node:test";
import { stringify } from "smol-toml";
import { readLocalGateways } from "../../cli/local_gateways.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { type GatewayOptions, startGateway } from "../../src/hosts/compose.ts";
import type { Gateway } from "../../src/hosts/gateway.ts";
import { statusOf } from "../support/raw_socket.ts";

const TOKEN = "token-of-the-operator-0123456789abcdef";
const ANY_PORT = "127.0.0.1:0";
const BASE = {
  server: { listen: ANY_PORT },
  management: { listen: ANY_PORT },
  telemetry: { log: { level: "error" } },
};

describe("startGateway()", () => {
  let folder: string;
  let stateDir: string;
  const running: Gateway[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentinel-compose-"));
  });
  after(() => rm(folder, { recursive: true }));
  beforeEach(() => {
    stateDir = join(folder, `state-${crypto.randomUUID()}`);
  });

  const optionsOf = async (tables: object, more: Partial<GatewayOptions> = {}) => {
    const { config, secrets, notices } = await parseConfig(stringify({ ...BASE, ...tables }), {
      file: "sentinel.toml",
      env: { TOKEN },
      readFile: () => Promise.reject(new Error("no such file")),
    });
    const source = { name: "sentinel.toml", identity: join(folder, "sentinel.toml") };
    return { config, secrets, notices, source, listen: true, stateDir, ...more };
  };

  const start = async (tables: object = {}, more: Partial<GatewayOptions> = {}) => {
    const gateway = await startGateway(await optionsOf(tables, more));
    running.push(gateway);
    return gateway;
  };

  /** Stops what a test has started, so that nothing of it is seen by the next one. */
  const using = async (work: () => Promise<void>) => {
    try {
      await work();
    } finally {
      for (const gateway of running.splice(0)) await gateway.stop();
    }
  };

  const ask = async (gateway: Gateway, path: string, token: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await fetch(`${gateway.managementUrl}${path}`, { ...init, headers });
    return { status: answer.status, body: await answer.json() };
  };

  const localToken = () => readLocalGateways(stateDir)[0]?.token ?? "";

  it("answers clients and operators on addresses of their own", () =>
    using(async () => {
      const gateway = await start();
      const [data, management] = [new URL(gateway.url ?? ""), new URL(gateway.managementUrl ?? "")];
      assert.notEqual(data.port, management.port);
      assert.equal((await fetch(new URL("/manage/v1/health", management))).status, 200);
      assert.equal((await fetch(new URL("/manage/v1/health", data))).status, 404);
      assert.equal((await fetch(new URL("/mcp", management))).status, 404);
    }));

  it("commands of this user find it, and only while it runs", () =>
    using(async () => {
      const gateway = await start();
      const [record] = readLocalGateways(stateDir);
      assert.equal(record?.management, gateway.managementUrl);
      assert.equal(record?.endpoint, `${gateway.url}/mcp`);
      assert.equal(record?.pid, process.pid);
      const { status, body } = await ask(gateway, "/manage/v1/status", record?.token ?? "");
      assert.deepEqual([status, body.pid, body.endpoint], [200, process.pid, record?.endpoint]);
      await gateway.stop();
      assert.deepEqual(readLocalGateways(stateDir), []);
      assert.deepEqual((await readdir(join(stateDir, "gateways"))).length, 1);
    }));

  it("the local token is an admin's, beside those of the configuration", () =>
    using(async () => {
      const tokens = [{ name: "grafana", scope: "read", value: "${env:TOKEN}" }];
      const gateway = await start({ management: { listen: ANY_PORT, tokens } });
      const reload = { method: "POST", body: "{}" };
      assert.equal((await ask(gateway, "/manage/v1/status", TOKEN)).status, 200);
      assert.equal((await ask(gateway, "/manage/v1/reload", TOKEN, reload)).status, 403);
      const { status, body } = await ask(gateway, "/manage/v1/reload", localToken(), reload);
      // An admin may ask; this gateway only has nothing to read.
      assert.deepEqual([status, body.error.code], [403, "OPERATION_DISABLED"]);
    }));

  it("remembers switches and events over a restart, by the configuration's file", () =>
    using(async () => {
      const first = await start();
      const put = { method: "PUT", body: JSON.stringify({ reason: "INC-1" }) };
      const killed = await ask(first, "/manage/v1/kill-switches/tools/a__*", localToken(), put);
      assert.equal(killed.status, 200, JSON.stringify(killed.body));
      await first.stop();
      const second = await start();
      const { body: switches } = await ask(second, "/manage/v1/kill-switches", localToken());
      assert.deepEqual(switches.items.map(({ name }: { name: string }) => name), ["a__*"]);
      const { body: events } = await ask(second, "/manage/v1/events?after=0", localToken());
      const names: string[] = events.items.map(({ event }: { event: string }) => event);
      assert.equal(names.filter((name) => name === "gateway.started").length, 2);
      assert.ok(names.indexOf("kill.set") < names.lastIndexOf("gateway.started"));

      const identity = join(folder, "other.toml");
      const other = await start({}, { source: { name: "other.toml", identity } });
      const { body } = await ask(other, "/manage/v1/kill-switches", tokenOf(other));
      assert.deepEqual(body.items, []);
    }));

  const tokenOf = (gateway: Gateway) =>
    readLocalGateways(stateDir).find(({ management }) => management === gateway.managementUrl)
      ?.token ?? "";

  it(
    "keeps its files to this user",
    { skip: process.platform === "win32" },
    () =>
      using(async () => {
        await start();
        const gateways = join(stateDir, "gateways");
        const found = await readdir(gateways, { recursive: true });
        assert.ok(found.some((name) => name.endsWith("state.sqlite")));
        assert.ok(found.some((name) => name.endsWith("journal.ndjson")));
        for (const name of found) {
          const { mode } = await stat(join(gateways, name));
          assert.equal(mode & 0o077, 0, name);
        }
      }),
  );

  it("the token for local commands appears in no file but the record, and in no answer", () =>
    using(async () => {
      const gateway = await start({ telemetry: { log: { level: "error" } } });
      const token = localToken();
      await ask(gateway, `/manage/v1/backends/${token}`, token);
      await ask(gateway, "/manage/v1/status", `${token}x`);
      const { body } = await ask(gateway, "/manage/v1/config", token);
      assert.ok(!JSON.stringify(body).includes(token));
      await gateway.stop();
      const folders = await readdir(join(stateDir, "gateways"), { recursive: true });
      const files = folders.filter((name) => /\.(sqlite|ndjson|json)/.test(name));
      for (const name of files) {
        const text = await readFile(join(stateDir, "gateways", name), "latin1");
        assert.ok(!text.includes(token), name);
      }
    }));

  it("serves metrics, and none when they are switched off", () =>
    using(async () => {
      const on = await start();
      const headers = { authorization: `Bearer ${tokenOf(on)}` };
      const text = await (await fetch(`${on.managementUrl}/metrics`, { headers })).text();
      assert.match(text, /^sentinel_build_info\{.*\} 1$/m);
      assert.match(text, /^process_resident_memory_bytes \d/m);
      const off = await start({ telemetry: { metrics: { prometheus: false } } }, {
        source: { name: "off.toml", identity: join(folder, "off.toml") },
      });
      assert.equal((await ask(off, "/metrics", tokenOf(off))).status, 404);
    }));

  it("without listeners has neither address nor record, and keeps everything in memory", () =>
    using(async () => {
      const { stateDir: _none, ...options } = await optionsOf({});
      const gateway = await startGateway({ ...options, listen: false });
      running.push(gateway);
      assert.deepEqual([gateway.url, gateway.managementUrl], [undefined, undefined]);
      assert.equal(gateway.snapshot().name, "mcp-sentinel");
      await assert.rejects(stat(stateDir), { code: "ENOENT" });
    }));

  it("says which of its addresses is taken, and leaves nothing open", () =>
    using(async () => {
      const first = await start();
      const taken = { data: new URL(first.url ?? ""), control: new URL(first.managementUrl ?? "") };
      await assert.rejects(start({ server: { listen: taken.data.host } }), {
        code: "EADDRINUSE",
        listener: "server",
        address: taken.data.host,
      });
      const free = await start({}, { stateDir: join(folder, "probe") });
      const { host, port } = new URL(free.url ?? "");
      await free.stop();
      const both = { server: { listen: host }, management: { listen: taken.control.host } };
      await assert.rejects(start(both), {
        code: "EADDRINUSE",
        listener: "management",
        address: taken.control.host,
      });
      await assert.rejects(statusOf(Number(port), "GET / HTTP/1.1\r\n\r\n"), {
        code: "ECONNREFUSED",
      });
      assert.equal(readLocalGateways(stateDir).length, 1);
    }));

  it("a state folder that others may write is refused, and the addresses are free again", {
    skip: process.platform === "win32",
  }, () =>
    using(async () => {
      await mkdir(stateDir);
      await chmod(stateDir, 0o777);
      const probe = await start({}, { stateDir: join(folder, "probe") });
      const { host, port } = new URL(probe.url ?? "");
      await probe.stop();
      await assert.rejects(start({ server: { listen: host } }), {
        code: "AUDIT_UNAVAILABLE",
        message: /Others may write the state folder .* chmod go-w/,
      });
      await assert.rejects(statusOf(Number(port), "GET / HTTP/1.1\r\n\r\n"), {
        code: "ECONNREFUSED",
      });
    }));

  it("TLS files that cannot be used are refused before anything else", async () => {
    const tls = { cert: join(folder, "no.crt"), key: join(folder, "no.key") };
    await assert.rejects(start({ management: { listen: ANY_PORT, tls } }), {
      code: "CONFIG_INVALID",
      message: /^Cannot use management\.tls\.cert = ".*no\.crt": no such file$/,
    });
    await assert.rejects(stat(stateDir), { code: "ENOENT" });
  });

  it("stopping twice is stopping once", () =>
    using(async () => {
      const gateway = await start();
      await Promise.all([gateway.stop(), gateway.stop()]);
      await gateway.finished;
    }));
});
