import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readSource } from "../arch/source_files.ts";
import { ManagedGateway, READ_TOKEN } from "../proofs/managed_gateway.ts";
import { NumberedBackend } from "../proofs/numbered_backend.ts";
import { callTool, connect } from "../scenarios/clients.ts";
import { stopAll } from "../scenarios/stop_all.ts";
import { until } from "../scenarios/until.ts";
import { RunningProgram } from "../support/running_program.ts";
import { freePort } from "../support/server_process.ts";
import { allRules, dashboardQueries, HAS_PROMETHEUS, readYaml, RULES, SCRAPES } from "./shipped.ts";

const WAIT_MS = 60_000;
const OPTIONS = { timeout: 150_000, skip: !HAS_PROMETHEUS };
/** What a gateway that has answered calls shows, whatever else it does. */
const SHOWN = [
  "State",
  "Calls",
  "p95",
  "Own overhead p95",
  "Sessions",
  "Rate by backend",
  "Outcomes",
  "Most used",
  "Circuit",
  "Calls under way",
  "Tools",
  "Streams",
  "Rows of the audit",
  "Journal",
  "Configuration in force",
  "Versions",
  "Memory",
  "Processor",
  "Event loop lag p99",
  "Time since the start",
];

interface Rule {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
  readonly state?: string;
  readonly alerts?: readonly { readonly labels: Readonly<Record<string, string>> }[];
}

describe("the Prometheus that is shipped, with a real gateway", () => {
  let backend: NumberedBackend;
  let gateway: ManagedGateway;
  let prometheus: { readonly url: string; readonly program: RunningProgram } | undefined;

  before(async () => {
    if (!HAS_PROMETHEUS) return;
    backend = await NumberedBackend.start();
    const away = `http://127.0.0.1:${await freePort()}/mcp`;
    gateway = await ManagedGateway.start({
      backends: { one: { url: backend.urlOf("one") }, away: { url: away } },
    });
    prometheus = await startPrometheus(gateway);
    const client = await connect({ http: gateway.url.href });
    await until(() => callTool(client, "one__echo", { n: 0 }), WAIT_MS);
    await client.close();
  }, { timeout: 100_000 });

  after(() =>
    stopAll([
      prometheus && (() => prometheus?.program.stop() ?? Promise.resolve()),
      gateway && (() => gateway.remove()),
      backend && (() => backend[Symbol.asyncDispose]()),
    ])
  );

  async function ask(path: string): Promise<Record<string, unknown>> {
    const response = await fetch(`${prometheus?.url}/api/v1/${path}`);
    const { status, data, error } = await response.json() as {
      status: string;
      data: Record<string, unknown>;
      error?: string;
    };
    assert.equal(status, "success", `${path}: ${error}`);
    return data;
  }

  async function rules(): Promise<readonly Rule[]> {
    const { groups } = await ask("rules") as { groups: { rules: Rule[] }[] };
    return groups.flatMap((group) => group.rules);
  }

  test("evaluates every rule without an error", OPTIONS, () =>
    until(async () => {
      const all = await rules();
      assert.equal(all.length, allRules().length);
      for (const { name, health, lastError = "" } of all) {
        assert.deepEqual({ name, health, lastError }, { name, health: "ok", lastError: "" });
      }
    }, WAIT_MS));

  test("sees the backend that is away, and not the other one", OPTIONS, () =>
    until(async () => {
      const down = (await rules()).find(({ name }) => name === "SentinelBackendDown");
      assert.equal(down?.state, "pending");
      assert.deepEqual(down.alerts?.map(({ labels }) => labels["sentinel_backend"]), ["away"]);
    }, WAIT_MS));

  test(
    "answers every query of the dashboard, and has data for what happened",
    OPTIONS,
    async () => {
      const client = await connect({ http: gateway.url.href });
      let calls = 0;
      await until(async () => {
        await callTool(client, "one__echo", { n: ++calls });
        const shown = new Set<string>();
        for (const { of, text } of dashboardQueries("30s")) {
          const { result } = await ask(`query?query=${encodeURIComponent(text)}`);
          if ((result as unknown[]).length > 0) shown.add(of);
        }
        assert.deepEqual(SHOWN.filter((title) => !shown.has(title)), []);
      }, WAIT_MS);
      await client.close();
    },
  );
});

/** With the files of `deploy`: only where the gateway is, where the token is, and how often differ. */
async function startPrometheus(gateway: ManagedGateway) {
  const place = (name: string) => join(gateway.folder, name);
  await writeFile(place("scrape_token"), READ_TOKEN);
  await writeFile(place("rules.yml"), readSource(RULES).replaceAll('"30s"', '"1s"'));
  const shipped = readYaml(SCRAPES);
  const [job] = shipped.scrape_configs;
  const config = {
    ...shipped,
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    rule_files: [place("rules.yml")],
    scrape_configs: [{
      ...job,
      authorization: { credentials_file: place("scrape_token") },
      static_configs: [{ targets: [new URL(gateway.management).host] }],
    }],
  };
  await writeFile(place("prometheus.yml"), JSON.stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const program = new RunningProgram({
    command: "prometheus",
    args: [
      `--config.file=${place("prometheus.yml")}`,
      `--storage.tsdb.path=${place("prometheus")}`,
      `--web.listen-address=${address}`,
    ],
  });
  await program.printed(/Server is ready to receive web requests/);
  return { url: `http://${address}`, program };
}
