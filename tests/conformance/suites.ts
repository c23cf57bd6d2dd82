import type { Edition } from "./run_suite.ts";

/** Scenarios of an edition of the official suite that are run together. */
export interface Suite {
  readonly name: string;
  readonly edition: Edition;
  readonly args: readonly string[];
  readonly scenarios: number;
  /** Checks the fixture server passes by itself. */
  readonly checks: number;
  /** Checks of the gateway's streams, of which it has none here: it answers with one JSON body, as it may. */
  readonly notJudged: readonly string[];
}

const STREAMS = "server-sse-multiple-streams server-sse-streams-functional";

export const LAST_RELEASE: Suite = {
  name: "0.1.16",
  edition: "conformance",
  args: ["--suite", "all"],
  scenarios: 32,
  checks: 44,
  notJudged: [STREAMS],
};

/** What the revision requires, and what the suite asks beyond it. */
export const REVISION_2025_11: Suite = {
  name: "0.2.0-alpha.12, 2025-11-25",
  edition: "conformanceModern",
  args: ["--requirements", "2025-11-25"],
  scenarios: 33,
  checks: 84,
  notJudged: [
    STREAMS,
    "server-sse-polling server-sse-priming-event",
    "server-sse-polling server-sse-retry-field",
    "server-sse-polling server-sse-disconnect-resume",
  ],
};

export const REVISION_2026_07: Suite = {
  name: "0.2.0-alpha.12, 2026-07-28",
  edition: "conformanceModern",
  args: ["--suite", "all", "--spec-version", "2026-07-28"],
  scenarios: 40,
  checks: 152,
  notJudged: [],
};
