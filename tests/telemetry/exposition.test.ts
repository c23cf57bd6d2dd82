import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { METRICS } from "../../src/contract/metrics.ts";
import { Registry } from "../../src/telemetry/registry.ts";
import { type Format, parseExposition } from "./exposition_parser.ts";

const ACCEPTS: Readonly<Record<Format, string | undefined>> = {
  prometheus: undefined,
  openmetrics: "application/openmetrics-text;version=1.0.0",
};
const FORMATS = Object.keys(ACCEPTS) as Format[];
const HOSTILE = 'a"} 1\nsentinel_backend_up{x="\\\u0000\r\t\u2028\ud800ä\\n';
/** What a reader gets back: characters without an escape are replaced. */
const SEEN = 'a"} 1\nsentinel_backend_up{x="\\\ufffd\ufffd\ufffd\u2028\ufffdä\\n';

/** A registry with something in every kind of metric. */
function filled(): Registry {
  const registry = new Registry();
  registry.series("sentinel_backend_stderr_lines_total", { sentinel_backend: "a" }).add(3);
  registry.series("sentinel_backend_up", { sentinel_backend: HOSTILE, kind: "http" }).set(1);
  registry.series("process_cpu_seconds_total", {}).set(1.5);
  registry.series("process_resident_memory_bytes", {}).set(1e21);
  const overhead = registry.series("sentinel_gateway_overhead_seconds", {
    mcp_method_name: "tools/call",
  });
  overhead.observe(0.00007, "0199-one");
  overhead.observe(12, HOSTILE);
  return registry;
}

describe("exposition", () => {
  for (const format of FORMATS) {
    it(`is exact ${format}, with the metrics of the table and no others`, () => {
      const families = parseExposition(filled().expose(ACCEPTS[format]).text, format);
      const names = Object.entries(METRICS).map(([name, { kind }]) =>
        format === "openmetrics" && kind === "counter" ? name.replace(/_total$/, "") : name
      );
      assert.deepEqual([...families.keys()], names);
      for (const [index, { kind }] of Object.values(METRICS).entries()) {
        assert.equal(families.get(names[index] as string)?.type, kind);
      }
    });

    it(`keeps what a label says within its quotes in ${format} (T74)`, () => {
      const families = parseExposition(filled().expose(ACCEPTS[format]).text, format);
      const [sample, ...others] = families.get("sentinel_backend_up")?.samples ?? [];
      assert.deepEqual(others, []);
      assert.deepEqual(sample?.labels, { sentinel_backend: SEEN, kind: "http" });
      assert.equal(sample?.value, 1);
    });
  }

  it("gives exemplars and units in OpenMetrics only", () => {
    const { text } = filled().expose(ACCEPTS.openmetrics);
    const families = parseExposition(text, "openmetrics");
    const overhead = families.get("sentinel_gateway_overhead_seconds");
    assert.equal(overhead?.unit, "seconds");
    assert.equal(families.get("process_cpu_seconds")?.unit, "seconds");
    assert.equal(families.get("process_resident_memory_bytes")?.unit, "bytes");
    const exemplars = overhead?.samples.flatMap(({ exemplar }) => exemplar ?? []);
    assert.deepEqual(exemplars, [
      { labels: { request_id: "0199-one" }, value: 0.00007 },
      { labels: { request_id: SEEN }, value: 12 },
    ]);
    assert.doesNotMatch(filled().expose(undefined).text, /0199-one|UNIT|EOF/);
  });

  it("is read by a parser that refuses what is not exact", () => {
    const head = "# TYPE a_total counter\n# HELP a_total x\n";
    const broken = {
      "no line feed at the end": `${head}a_total 1`,
      "a series twice": `${head}a_total 1\na_total 1\n`,
      "an unescaped quote": `${head}a_total{x="""} 1\n`,
      "an injected line": `${head}a_total{x="a\n"} 1\n`,
      "another family's sample": `${head}b_total 1\n`,
      "two spaces": `${head}a_total  1\n`,
      "a family twice": `${head}${head}`,
      "an exemplar": `${head}a_total 1 # {request_id="r"} 1\n`,
    };
    assert.equal(parseExposition(`${head}a_total 1\n`, "prometheus").size, 1);
    for (const [what, text] of Object.entries(broken)) {
      assert.throws(() => parseExposition(text, "prometheus"), Error, what);
    }
    assert.throws(() => parseExposition(filled().expose(undefined).text, "openmetrics"), /EOF/);
  });

  it("names the format it chose", () => {
    const typeFor = (accept: string | undefined) => new Registry().expose(accept).contentType;
    const open = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    const plain = "text/plain; version=0.0.4; charset=utf-8";
    const prometheus = "application/openmetrics-text;version=1.0.0;q=0.5," +
      "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
    for (
      const accept of [
        prometheus,
        "Application/OpenMetrics-Text",
        'application/openmetrics-text; version="1.0.0", text/plain',
      ]
    ) {
      assert.equal(typeFor(accept), open, accept);
    }
    const others = [
      undefined,
      "",
      "*/*",
      "text/html, */*",
      "application/openmetrics-text;q=0",
      "application/openmetrics-text;version=0.0.1",
      "application/openmetrics-text;q=0.3, text/plain;q=0.5",
      ";;;,,,q=",
    ];
    for (const accept of others) assert.equal(typeFor(accept), plain, accept);
  });

  it("is what promtool finds nothing to say about", (t) => {
    const { text } = filled().expose(undefined);
    const { status, error, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
      input: text,
      encoding: "utf8",
    });
    if (error !== undefined) return t.skip("promtool is not installed");
    assert.equal(status, 0, stdout + stderr);
  });
});
