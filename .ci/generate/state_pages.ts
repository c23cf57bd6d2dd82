/** Reference pages of states and operations. */
import { RUNTIME_STATES } from "../../src/contract/status.ts";
import { BACKEND_STATES } from "../../src/contract/mod.ts";
import { ROUTES } from "../../src/contract/manage/mod.ts";
import { CHANGE_EFFECTS, OPERATION_OUTCOMES, OPERATIONS } from "../../src/contract/operations.ts";
import { code, page, table } from "./markdown.ts";
import { shapePart } from "./shapes.ts";

export function statusPage(): string {
  return page(
    "Status",
    "What a running gateway tells about itself, as the [management API](management.md) answers it " +
      "and as `snapshot()` gives it to programs that embed the gateway: plain JSON. `revision` " +
      "grows with every visible change. `?` marks members that may be missing; times are ISO 8601.",
    "## States of the gateway",
    table(["state", "meaning"], meanings(RUNTIME_STATES)),
    "## States of a backend",
    table(["state", "meaning"], meanings(BACKEND_STATES)),
    "## Shapes",
    ...["Status", "BackendStatus", "CatalogSummary", "Traffic", "RefusedItem"].map(shapePart),
  );
}

export function operationsPage(): string {
  const routes = Object.values(ROUTES).filter((row) => "operation" in row);
  const rows = routes.map(({ method, path, summary }) => [code(`${method} ${path}`), summary]);
  return page(
    "Operations",
    "What operators can do to a running gateway. Reload, reconnect and shutdown run one at a " +
      "time; kill switches, the log level and closing a session take effect at once and never wait for " +
      "another; with [replicas](replicas.md) the answer about a kill switch says whether they all have it. Each is written to the journal before it takes effect, with who asked for it, and " +
      "again when it is over; when the journal cannot be written, nothing is done " +
      "(`AUDIT_UNAVAILABLE`). A request repeated with the same `Idempotency-Key` gets the first " +
      "answer again for ten minutes. The routes stand in [management](management.md).",
    table(["route", "what it does"], rows),
    "## Kinds",
    table(["operation", "what happened"], meanings(OPERATIONS)),
    "## Outcomes",
    table(["outcome", "meaning"], meanings(OPERATION_OUTCOMES)),
    "## What a changed key takes",
    "A reload and `POST /manage/v1/config/diff` say of every changed key what it takes; the " +
      "[configuration reference](config.md) says the same of all keys.",
    table(["effect", "meaning"], meanings(CHANGE_EFFECTS)),
    "## Shapes",
    ...["Operation", "Actor", "Reload", "ConfigChange", "Kill"].map(shapePart),
  );
}

function meanings(rows: Readonly<Record<string, string>>): string[][] {
  return Object.entries(rows).map(([name, meaning]) => [code(name), meaning]);
}
