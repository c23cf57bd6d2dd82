/** What holds for every client with every backend, as the tests of the matrix assert it. */
import {
  ALONE,
  BACKEND_NAMES,
  BACKENDS,
  CANCELLED,
  CLIENT_NAMES,
  CLIENTS,
  DECLINED,
  expected,
  GOES_ON,
  HOLDS,
  OWN_PROCESS,
  ROW_NAMES,
  ROWS,
} from "../../tests/scenarios/eras/table.ts";
import { page, table } from "./markdown.ts";

const TEST = "tests/scenarios/eras/matrix.test.ts";

const MEANINGS = [
  [HOLDS, "Works as if the client were connected to the backend itself."],
  [
    ALONE,
    "Log messages of a process do not say to which call they belong. While calls of several clients are " +
    "under way the gateway drops them rather than show them to the wrong one.",
  ],
  [
    DECLINED,
    "The backend gets this error for its question, and its tool says what becomes of the call. The " +
    "messages of a legacy process do not say to which call a question belongs; with a process that " +
    'all share the gateway would have to guess whom to ask. `instances = "per-session"` helps.',
  ],
  [
    OWN_PROCESS,
    "Modern clients have no sessions, so each call goes to whichever process of the client is free. The " +
    "gateway subscribes at the process that it keeps for itself, and passes on what that one tells.",
  ],
  [GOES_ON, "The backend works on; its result is dropped."],
  [CANCELLED, "The backend is told to stop."],
] as const;

export function bridgeMatrixPage(): string {
  return page(
    "Every client with every backend",
    "The gateway speaks both eras of the protocol on both sides: _legacy_ (revisions up to " +
      "2025-11-25) and _modern_ (2026-07-28). This page says what a client may count on with each kind of " +
      `backend. Every cell is asserted on Node, Deno and Bun by [matrix.test.ts](../${TEST}), with the ` +
      "official SDKs at both ends and one gateway that finds out the era of each backend by itself.",
    ...CLIENT_NAMES.map((client) => {
      const rows = ROW_NAMES.map((row) => [
        row,
        ...BACKEND_NAMES.map((backend) => expected(client, backend, row)),
      ]);
      const backends = BACKEND_NAMES.map((backend) => BACKENDS[backend].text);
      return `## ${CLIENTS[client].text}\n\n${table(["", ...backends], rows)}`;
    }),
    "## What the rows say",
    table(["row", "holds when"], Object.entries(ROWS)),
    "## What the cells say",
    table(["cell", "meaning"], MEANINGS),
  );
}
