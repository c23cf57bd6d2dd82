/** What must fit together in [backends.*]. */
import { parseDuration } from "../../contract/units.ts";
import type { Path } from "../issue.ts";
import { quote, type Table, tableAt, tablesOf, textAt } from "../raw.ts";
import type { Report } from "./report.ts";

/** Keys that mean nothing for a backend of the other kind. */
export const URL_ONLY: readonly string[] = ["headers", "transport", "pool", "oauth"];
export const COMMAND_ONLY: readonly string[] = [
  "args",
  "env",
  "inherit_env",
  "cwd",
  "stop",
];

/** Keys of `limits` that mean nothing for a backend with a URL. */
export const COMMAND_LIMITS: readonly string[] = [
  "memory",
  "descriptors",
  "processes",
  "output_line",
];

/** Headers the gateway sets itself, on every request. */
const OWN_HEADERS = new Set([
  "accept",
  "connection",
  "content-length",
  "content-type",
  "host",
  "last-event-id",
  "mcp-protocol-version",
  "mcp-session-id",
  "transfer-encoding",
  "upgrade",
]);

/** Checks every backend for itself, then their names against each other. */
export function checkBackends(tree: Table, report: Report): void {
  const backends = tablesOf(tableAt(tree, "backends"));
  const signsIn = textAt(tree, "auth", "mode") === "jwt";
  for (const [name, backend] of backends) {
    const path = ["backends", name];
    checkKind(path, backend, report);
    checkHeaders(path, tableAt(backend, "headers"), report);
    checkRenames(path, tableAt(backend, "tools", "rename"), report);
    checkPauses([...path, "retry"], tableAt(backend, "retry"), report);
    checkPauses([...path, "restart"], tableAt(backend, "restart"), report);
    if (!signsIn) checkInstances(path, backend, report);
  }
  checkAliases(tree, backends, report);
}

function checkKind(path: Path, backend: Table, report: Report): void {
  const hasUrl = "url" in backend;
  const hasCommand = "command" in backend;
  const hint = "url = HTTP server, command = local process";
  if (hasUrl && hasCommand) {
    const message = "a backend needs either url or command, not both";
    const place = { path: [...path, "command"], also: [...path, "url"], at: "key" } as const;
    return report({ ...place, code: "conflict", message, hint: `remove one; ${hint}` });
  }
  if (!hasUrl && !hasCommand) {
    const message = "a backend needs either url or command";
    return report({ code: "missing_key", path, at: "table", message, hint: `add one; ${hint}` });
  }
  const [kind, meaningless] = hasUrl ? ["url", COMMAND_ONLY] : ["command", URL_ONLY];
  const limits = tableAt(backend, "limits");
  const keys = [
    ...meaningless.filter((name) => name in backend).map((name) => [name]),
    ...(hasUrl ? COMMAND_LIMITS.filter((name) => name in limits) : [])
      .map((name) => ["limits", name]),
  ];
  for (const key of keys) {
    const message = `${quote(key.join("."))} has no meaning for a backend with ${kind}`;
    report({ code: "conflict", path: [...path, ...key], at: "key", message, hint: "remove it" });
  }
}

function checkHeaders(path: Path, headers: Table, report: Report): void {
  const seen = new Set<string>();
  for (const name of Object.keys(headers)) {
    const place = { path: [...path, "headers", name], at: "key", hint: "remove it" } as const;
    const lower = name.toLowerCase();
    if (OWN_HEADERS.has(lower)) {
      const message = `the gateway sets the header ${quote(name)} itself`;
      report({ ...place, code: "conflict", message });
    }
    if (seen.has(lower)) {
      report({ ...place, code: "conflict", message: `header ${quote(name)} is there twice` });
    }
    seen.add(lower);
  }
}

function checkRenames(path: Path, rename: Table, report: Report): void {
  const owners = new Map<unknown, string>();
  for (const [original, shown] of Object.entries(rename)) {
    const owner = owners.get(shown);
    owners.set(shown, original);
    if (owner === undefined) continue;
    report({
      code: "conflict",
      path: [...path, "tools", "rename", original],
      at: "value",
      message: `${quote(owner)} and ${quote(original)} cannot both become ${quote(shown)}`,
      hint: "choose another name",
    });
  }
}

function checkPauses(path: Path, table: Table, report: Report): void {
  const base = parseDuration(textAt(table, "base") ?? "");
  const max = parseDuration(textAt(table, "max") ?? "");
  if (base === undefined || max === undefined || base <= max) return;
  const message = "base must not be longer than max";
  report({ code: "conflict", path: [...path, "base"], at: "value", message, hint: "swap them" });
}

function checkInstances(path: Path, backend: Table, report: Report): void {
  if (backend["instances"] !== "per-user") return;
  report({
    code: "unsafe",
    path: [...path, "instances"],
    at: "value",
    message: 'instances "per-user" needs sign-in: without it everybody is the same user',
    hint: 'set [auth] mode = "jwt", or use "per-session" to keep callers apart',
  });
}

function checkAliases(tree: Table, backends: readonly [string, Table][], report: Report): void {
  const separator = textAt(tree, "catalog", "separator") ?? "__";
  const prefixed = textAt(tree, "catalog", "prefix") !== "never";
  const seen: { alias: string; name: string }[] = [];
  for (const [name, backend] of backends) {
    const alias = textAt(backend, "alias") ?? name;
    const path = "alias" in backend ? ["backends", name, "alias"] : ["backends", name];
    const place = { code: "conflict", path, at: "alias" in backend ? "value" : "table" } as const;
    const hint = "set another alias";
    // Ignoring case: names become file names, and people read them aloud.
    const twin = seen.find((other) => other.alias.toLowerCase() === alias.toLowerCase());
    if (twin !== undefined) {
      const names = `backends ${quote(twin.name)} and ${quote(name)}`;
      const same = twin.alias === alias
        ? `have the same alias ${quote(alias)}`
        : "differ only in case";
      const message = `${names} ${same}`;
      report({ ...place, message, hint });
    }
    const nested = prefixed
      ? seen.find((other) => overlaps(other.alias, alias, separator))
      : undefined;
    if (nested !== undefined) {
      const message =
        `aliases ${quote(nested.alias)} and ${quote(alias)} clash: names of one could be ` +
        "taken for names of the other";
      report({ ...place, message, hint });
    }
    seen.push({ alias, name });
  }
}

function overlaps(one: string, other: string, separator: string): boolean {
  return one.startsWith(other + separator) || other.startsWith(one + separator);
}
