import assert from "node:assert/strict";
import { describe } from "node:test";
import { proves } from "../support/proves.ts";
import { type ClientScenario, failed, passed, runClientScenario } from "./run_suite.ts";

const TIMEOUT = { timeout: 120_000 };
const MODERN = "2026-07-28";

/** What the gateway does as a client of a server without sessions, whoever its own client is. */
const TOWARDS_MODERN: readonly (ClientScenario & { readonly checks: number })[] = [
  { name: "request-metadata", mode: "auto", checks: 5 },
  { name: "http-standard-headers", mode: "auto", checks: 10 },
  { name: "http-custom-headers", mode: "auto", checks: 18 },
  { name: "http-custom-headers", mode: "legacy", checks: 18 },
  // A client of the modern era would drop the tools by itself.
  { name: "http-invalid-tool-headers", mode: "legacy", checks: 12 },
  { name: "sep-2322-client-request-state", mode: "auto", checks: 5 },
  { name: "sep-2322-client-request-state", mode: "legacy", checks: 5 },
  { name: "json-schema-ref-no-deref", mode: "auto", checks: 1 },
  { name: "json-schema-2020-12-preservation", mode: "auto", revision: MODERN, checks: 9 },
  { name: "tools_call", mode: "auto", revision: MODERN, checks: 2 },
];

/** The same with sessions. */
const TOWARDS_LEGACY: readonly (ClientScenario & { readonly checks: number })[] = [
  { name: "initialize", mode: "legacy", checks: 1 },
  { name: "sse-retry", mode: "auto", checks: 3 },
  { name: "json-schema-2020-12-preservation", mode: "legacy", checks: 9 },
  { name: "tools_call", mode: "auto", checks: 2 },
];

describe("official conformance suite, the gateway as a client", () => {
  for (const { checks, ...scenario } of [...TOWARDS_MODERN, ...TOWARDS_LEGACY]) {
    const { name, mode, revision = "" } = scenario;
    proves(
      "G2.1",
      `${[name, revision].join(" ").trim()}, driven by a client of era ${mode}`,
      async () => {
        const run = await runClientScenario(scenario);

        assert.deepEqual(failed(run), [], run.output);
        assert.equal(passed(run).length, checks);
        assert.equal(run.code, 0);
      },
      TIMEOUT,
    );
  }
});
