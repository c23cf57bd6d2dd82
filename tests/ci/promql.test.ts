import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  and,
  compare,
  max,
  or,
  quantile,
  Series,
  share,
  sum,
  unless,
} from "../../.ci/generate/promql.ts";

const series = new Series();

describe("query builder", () => {
  it("writes selectors, ranges and groupings", () => {
    const calls = series.observed("mcp_server_operation_duration_seconds", {
      sentinel_outcome: ["ok", "tool_error"],
      error_type: { not: "" },
      gen_ai_tool_name: { not: ["a.b", "c"] },
    });
    assert.equal(
      sum(["sentinel_backend"], calls).text,
      'sum by (sentinel_backend) (rate(mcp_server_operation_duration_seconds_count{sentinel_outcome=~"ok|tool_error",error_type!="",gen_ai_tool_name!~"a\\\\.b|c"}[5m]))',
    );
  });

  it("puts what a file has in common only where the label is", () => {
    const chosen = new Series({
      target: ['job=~"$job"'],
      labels: { sentinel_backend: '=~"$backend"' },
      window: "1m",
    });
    assert.equal(
      chosen.gauge("sentinel_backend_up").text,
      'sentinel_backend_up{job=~"$job",sentinel_backend=~"$backend"}',
    );
    assert.equal(
      chosen.rate("process_cpu_seconds_total").text,
      'rate(process_cpu_seconds_total{job=~"$job"}[1m])',
    );
  });

  it("is refused by the compiler for what the table does not have", () => {
    const up = series.gauge("sentinel_backend_up");
    const written = [
      // @ts-expect-error no such metric
      () => series.gauge("sentinel_backends_up"),
      // @ts-expect-error a counter is no gauge
      () => series.gauge("sentinel_denials_total"),
      // @ts-expect-error a gauge has no rate
      () => series.rate("sentinel_sessions_active"),
      // @ts-expect-error no such label
      () => series.gauge("sentinel_backend_up", { backend: "a" }),
      // @ts-expect-error no such value
      () => series.gauge("sentinel_backend_state", { state: "down" }),
      // @ts-expect-error nor among several
      () => series.gauge("sentinel_backend_state", { state: { not: ["ready", "down"] } }),
      // @ts-expect-error the series have no such label
      () => sum(["gen_ai_tool_name"], up),
      // @ts-expect-error nor after a grouping
      () => sum(["kind"], sum(["sentinel_backend"], up)),
      // @ts-expect-error what has no buckets has no quantiles
      () => quantile(0.5, [], series.buckets("sentinel_backend_up")),
      // @ts-expect-error the right has no such label
      () => and(up, ["sentinel_backend"], max(["job"], up)),
      // @ts-expect-error nor here
      () => unless(up, ["kind"], max(["job"], up)),
      // @ts-expect-error other labels
      () => share(sum(["job"], up), sum(["instance"], up)),
      // @ts-expect-error other labels
      () => compare(sum(["job"], up), ">", sum(["instance"], up)),
      // @ts-expect-error other labels
      () => or(sum(["job"], up), sum(["instance"], up)),
    ];
    assert.equal(written.length, 14);
  });
});
