import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { proves } from "../support/proves.ts";
import { type Front, startFront } from "./front.ts";
import { failed, passed, type SuiteRun } from "./run_suite.ts";
import { REVISION_2026_07 } from "./suites.ts";

const TIMEOUT = { timeout: 180_000 };

/** Every scenario that the revision took over from sessions, or that is about the endpoint itself. */
const CARRIED_FORWARD = [
  "caching",
  "completion-complete",
  "dns-rebinding-protection",
  "http-custom-header-server-validation",
  "http-header-validation",
  "json-schema-2020-12",
  "prompts-get-embedded-resource",
  "prompts-get-simple",
  "prompts-get-with-args",
  "prompts-get-with-image",
  "prompts-list",
  "resources-list",
  "resources-read-binary",
  "resources-read-text",
  "resources-templates-read",
  "sep-2164-resource-not-found",
  "server-sse-multiple-streams",
  "server-stateless",
  "tools-call-audio",
  "tools-call-embedded-resource",
  "tools-call-error",
  "tools-call-image",
  "tools-call-mixed-content",
  "tools-call-simple-text",
  "tools-call-with-progress",
  "tools-list",
];

/** The backend's requests in the middle of a call become questions of the gateway's answer. */
const QUESTIONS = [
  "input-required-result-basic-elicitation",
  "input-required-result-basic-list-roots",
  "input-required-result-basic-sampling",
  "input-required-result-capability-check",
  "input-required-result-ignore-extra-params",
  "input-required-result-missing-input-response",
  "input-required-result-multi-round",
  "input-required-result-multiple-input-requests",
  "input-required-result-non-tool-request",
  "input-required-result-request-state",
  "input-required-result-result-type",
  "input-required-result-tampered-state",
  "input-required-result-unsupported-methods",
  "input-required-result-validate-input",
];

/** A request of a session has no name, so the question gets one that the referee does not know. */
const NAMED = [
  "input-required-result-basic-elicitation sep-2322-elicitation-incomplete",
];
/** The backend is told that the client cannot answer, and decides itself what its tool does then. */
const DECIDED_BY_BACKEND = [
  "server-stateless sep-2575-missing-capability-http-400",
  "server-stateless sep-2575-server-rejects-undeclared-capability",
];

describe("official conformance suite, 2026-07-28 in front, sessions behind", () => {
  let front: Front;
  let through: SuiteRun;

  before(async () => {
    front = await startFront("legacy");
    through = await front.through(REVISION_2026_07);
  }, TIMEOUT);

  after(() => front?.stop());

  proves("G2.1", "every scenario that needs no questions passes", () => {
    assert.deepEqual(failuresOf(through, CARRIED_FORWARD), DECIDED_BY_BACKEND);
    assert.deepEqual(scenariosOf(through), [...CARRIED_FORWARD, ...QUESTIONS].sort());
  });

  proves("G2.1", "questions of the backend's sessions are asked by results", () => {
    assert.deepEqual(failuresOf(through, QUESTIONS), NAMED);
    assert.equal(passed(through).length, 147);
  });
});

function failuresOf(run: SuiteRun, scenarios: readonly string[]): readonly string[] {
  return failed(run)
    .filter(({ scenario }) => scenarios.includes(scenario))
    .map(({ scenario, id }) => `${scenario} ${id}`)
    .sort();
}

function scenariosOf({ checks }: SuiteRun): readonly string[] {
  return [...new Set(checks.map(({ scenario }) => scenario))].sort();
}
