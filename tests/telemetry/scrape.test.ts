import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { join } from "node:path";
import { stringify } from "smol-toml";
import { METRICS } from "../../src/contract/metrics.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { HttpSession, overHttp } from "../support/http_session.ts";
import { proves } from "../support/proves.ts";
import { executable, REPOSITORY } from "../support/runtime.ts";
import { type ParsedFamily, parseExposition } from "./exposition_parser.ts";

const OPEN_METRICS = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";

/** Whose first line is no message, and who writes to stderr. */
const NOISY = "console.error('hello'); console.log('hello');" +
  `import(${JSON.stringify(join(REPOSITORY, "tests/fixtures/backend.mjs"))})`;

const CONFIG = stringify({
  backends: {
    noisy: { command: executable("node"), args: ["-e", NOISY] },
    absent: { url: "http://127.0.0.1:9/mcp" },
  },
  rules: [{ name: "noted", when: "true", action: "warn" }],
});

describe("GET /metrics", () => {
  let gateway: Gateway;

  before(async () => {
    gateway = await startGateway(CONFIG);
    await gateway.printed(/backend\.ready/);
  });

  after(() => gateway.stop());

  async function scrape(accept = "*/*"): Promise<{ type: string; text: string }> {
    const response = await fetch(new URL("/metrics", gateway.managementUrl), {
      headers: { authorization: `Bearer ${gateway.token}`, accept },
    });
    assert.equal(response.status, 200);
    return { type: response.headers.get("content-type") ?? "", text: await response.text() };
  }

  /** Something of everything that is counted. */
  async function use(): Promise<void> {
    const session = await HttpSession.open(overHttp(gateway.url));
    await session.call("noisy__echo", { a: 1 });
    await session.call("noisy__unknown");
    await session.call("noisy__grow", { name: "grown" });
    await gateway.printed(/catalog\.changed[^\n]*"tools":10/);
    await session.delete();
    const reconnected = await fetch(
      new URL("/manage/v1/backends/noisy/reconnect", gateway.managementUrl),
      { method: "POST", headers: { authorization: `Bearer ${gateway.token}` } },
    );
    assert.equal(reconnected.status, 200);
  }

  proves("G9.1", "emits every metric of the table, in both formats", async () => {
    await scrape();
    await use();
    const plain = await scrape();
    assert.match(plain.type, /^text\/plain; version=0\.0\.4/);
    const families = parseExposition(plain.text, "prometheus");
    assert.deepEqual(missing(families), []);
    const open = await scrape(OPEN_METRICS);
    assert.match(open.type, /^application\/openmetrics-text; version=1\.0\.0/);
    const parsed = parseExposition(open.text, "openmetrics");
    assert.deepEqual(missing(parsed), []);
    assert.match(open.text, /tools\/call.* # \{request_id="[0-9a-f-]{36}"\}/);
  });

  it("shows request counts, latencies, errors and the health of backends", async () => {
    const families = parseExposition((await scrape()).text, "prometheus");
    const value = (name: string, labels: Record<string, string>) =>
      [...families.values()].flatMap(({ samples }) => samples).find((sample) =>
        sample.name === name &&
        Object.entries(labels).every(([label, text]) => sample.labels[label] === text)
      )?.value;
    const calls = "mcp_server_operation_duration_seconds_count";
    const ok = { gen_ai_tool_name: "noisy__echo", sentinel_outcome: "ok" };
    assert.equal(value(calls, ok), 1);
    assert.equal(value(calls, { gen_ai_tool_name: "_other", sentinel_outcome: "invalid" }), 1);
    assert.equal(value("sentinel_backend_up", { sentinel_backend: "noisy", kind: "stdio" }), 1);
    assert.equal(value("sentinel_backend_up", { sentinel_backend: "absent" }), 0);
    assert.equal(value("sentinel_startup_state", { state: "degraded" }), 1);
    const changed = { sentinel_backend: "noisy", change: "added" };
    assert.equal(value("sentinel_catalog_changes_total", changed), 1);
    assert.equal(value("sentinel_requests_in_flight", { plane: "data" }), 0);
  });

  it("is what promtool finds nothing to say about", async (t) => {
    const { text } = await scrape();
    const { status, error, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
      input: text,
      encoding: "utf8",
    });
    if (error !== undefined) return t.skip("promtool is not installed");
    assert.equal(status, 0, stdout + stderr);
  });
});

/** Metrics of the table without a sample. */
function missing(families: ReadonlyMap<string, ParsedFamily>): string[] {
  const samples = [...families.values()].flatMap((family) => family.samples);
  const names = new Set(samples.map(({ name }) => name.replace(/_(?:bucket|sum|count)$/, "")));
  return Object.keys(METRICS).filter((name) => !names.has(name));
}
