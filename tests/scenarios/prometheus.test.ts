import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ManagedGateway, READ_TOKEN } from "../proofs/managed_gateway.ts";
import { NumberedBackend } from "../proofs/numbered_backend.ts";
import { RunningProgram } from "../support/running_program.ts";
import { callTool, connect } from "./clients.ts";
import { stopAll } from "./stop_all.ts";
import { until } from "./until.ts";

const isInstalled = spawnSync("prometheus", ["--version"]).error === undefined;
const CALLS = 5;
const WAIT_MS = 60_000;
const OPTIONS = { timeout: 120_000, skip: !isInstalled };

describe("Prometheus itself", () => {
  let backend: NumberedBackend;
  let gateway: ManagedGateway;

  before(async () => {
    backend = await NumberedBackend.start();
    gateway = await ManagedGateway.start({ backends: { one: { url: backend.urlOf("one") } } });
    const client = await connect({ http: gateway.url.href });
    await until(() => callTool(client, "one__echo", { n: 0 }), WAIT_MS);
    for (let n = 1; n < CALLS; n++) await callTool(client, "one__echo", { n });
    await client.close();
  }, { timeout: 90_000 });

  after(() => stopAll([() => gateway.remove(), () => backend[Symbol.asyncDispose]()]));

  test("scrapes with a bearer token and shows the calls", OPTIONS, async () => {
    const prometheus = await startPrometheus(gateway);
    try {
      await until(
        async () => assert.equal(await valueOf(prometheus, 'up{job="sentinel"}'), "1"),
        WAIT_MS,
      );
      const calls =
        'sum(mcp_server_operation_duration_seconds_count{mcp_method_name="tools/call",sentinel_outcome="ok"})';
      assert.equal(await valueOf(prometheus, calls), String(CALLS));
      assert.equal(await valueOf(prometheus, 'sentinel_backend_up{sentinel_backend="one"}'), "1");
    } finally {
      await prometheus.program.stop();
    }
  });

  test("promtool has nothing to say about what is served", OPTIONS, async () => {
    const input = await gateway.client(READ_TOKEN).request("metrics");

    const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
      input,
      encoding: "utf8",
    });

    assert.deepEqual({ status, said: stdout + stderr }, { status: 0, said: "" });
  });
});

interface Prometheus {
  readonly url: string;
  readonly program: RunningProgram;
}

async function startPrometheus(gateway: ManagedGateway): Promise<Prometheus> {
  const file = join(gateway.folder, "prometheus.yml");
  const token = join(gateway.folder, "prometheus.token");
  await writeFile(token, READ_TOKEN);
  await writeFile(file, configuration(gateway.management, token));
  const address = `127.0.0.1:${await freePort()}`;
  const program = new RunningProgram({
    command: "prometheus",
    args: [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(gateway.folder, "prometheus")}`,
      `--web.listen-address=${address}`,
    ],
  });
  await program.printed(/Server is ready to receive web requests/);
  return { url: `http://${address}`, program };
}

function configuration(management: string, token: string): string {
  return `
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: sentinel
    authorization: { credentials_file: ${JSON.stringify(token)} }
    static_configs: [{ targets: [${JSON.stringify(new URL(management).host)}] }]
`;
}

/** Value of an instant query; undefined when there is no series. */
async function valueOf({ url }: Prometheus, query: string): Promise<string | undefined> {
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { data } = await response.json() as {
    data: { result: { value: [number, string] }[] };
  };
  return data.result[0]?.value[1];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
