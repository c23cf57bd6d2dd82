/** What must fit together in [auth], [roles], [limits], [kill], [audit.policy]. */
import { isLoopback } from "../../contract/config/listen.ts";
import { suggest } from "../../contract/suggest.ts";
import type { Path } from "../issue.ts";
import { quote, type Table, tableAt, tablesIn, textAt, textsIn, valueAt } from "../raw.ts";
import type { Report } from "./report.ts";

/** As long as the hash; shorter ones can be guessed offline from one token. */
const SHORTEST_JWT_SECRET = 32;

export function checkPolicy(tree: Table, report: Report): void {
  checkAuth(tableAt(tree, "auth"), report);
  checkNames(tree, report);
}

function checkAuth(auth: Table, report: Report): void {
  const entries = tablesIn(auth["jwt"]);
  const wanted = textAt(auth, "mode") === "jwt";
  if (wanted && entries.length === 0) {
    const message = 'mode "jwt" needs at least one issuer';
    const place = { path: ["auth", "mode"], at: "value" } as const;
    report({ ...place, code: "missing_key", message, hint: "add a [[auth.jwt]] block" });
  }
  if (!wanted && entries.length > 0) {
    const message = '[[auth.jwt]] does nothing while auth.mode is "none"';
    const place = { path: ["auth", "jwt", 0], at: "table" } as const;
    report({ ...place, code: "conflict", message, hint: 'write  mode = "jwt"  in [auth]' });
  }
  const issuers = new Set<string>();
  for (const [index, entry] of entries) {
    const path = ["auth", "jwt", index];
    checkIssuer(path, entry, report);
    const issuer = textAt(entry, "issuer");
    if (issuer === undefined) continue;
    if (issuers.has(issuer)) {
      const message = `issuer ${quote(issuer)} is there twice`;
      const place = { path: [...path, "issuer"], at: "value" } as const;
      report({ ...place, code: "conflict", message, hint: "the first entry that matches is used" });
    }
    issuers.add(issuer);
  }
}

function checkIssuer(path: Path, entry: Table, report: Report): void {
  const hasSecret = "secret" in entry;
  if (hasSecret === "jwks_url" in entry) {
    const message = `an issuer needs either jwks_url or secret${hasSecret ? ", not both" : ""}`;
    const hint = `${hasSecret ? "remove" : "add"} one; jwks_url = public keys, secret = HS256`;
    const place = {
      path: hasSecret ? [...path, "secret"] : path,
      at: hasSecret ? "key" : "table",
    } as const;
    report({ ...place, code: hasSecret ? "conflict" : "missing_key", message, hint });
  }
  checkAlgorithms(path, entry, report);
  const secret = textAt(entry, "secret");
  if (secret !== undefined && new TextEncoder().encode(secret).length < SHORTEST_JWT_SECRET) {
    const message = `the secret is shorter than ${SHORTEST_JWT_SECRET} bytes and can be guessed`;
    const hint = "make one with  openssl rand -base64 32";
    report({ code: "unsafe", path: [...path, "secret"], at: "value", message, hint });
  }
  const url = textAt(entry, "jwks_url") ?? "";
  if (/^http:/i.test(url) && URL.canParse(url) && !isLoopbackUrl(url)) {
    const message = "keys must be fetched over https";
    const hint = "anybody on the way could replace them";
    report({ code: "unsafe", path: [...path, "jwks_url"], at: "value", message, hint });
  }
}

/** A public key taken for a shared secret would let anybody sign. */
function checkAlgorithms(path: Path, entry: Table, report: Report): void {
  for (const [index, algorithm] of textsIn(entry["algorithms"])) {
    const symmetric = algorithm.startsWith("HS");
    if (symmetric === "secret" in entry) continue;
    const message = `${algorithm} does not go with ${symmetric ? "jwks_url" : "secret"}`;
    const hint = symmetric ? "HS256 and its kin need a secret" : "with a secret use HS256";
    const place = { path: [...path, "algorithms", index], at: "value" } as const;
    report({ ...place, code: "conflict", message, hint });
  }
}

/** Names of roles and backends that are used must be defined. */
function checkNames(tree: Table, report: Report): void {
  const roles = [...Object.keys(tableAt(tree, "roles")), "default"];
  const backends = Object.keys(tableAt(tree, "backends"));
  for (const above of [["limits", "roles"], ["audit", "policy", "roles"]]) {
    for (const role of Object.keys(tableAt(tree, ...above))) {
      checkName({ kind: "role", name: role, known: roles }, [...above, role], "key", report);
    }
  }
  for (const [index] of tablesIn(valueAt(tree, ["auth", "jwt"]))) {
    const above = ["auth", "jwt", index, "roles_map"];
    for (const [claim, role] of Object.entries(tableAt(tree, ...above))) {
      if (typeof role !== "string") continue;
      checkName({ kind: "role", name: role, known: roles }, [...above, claim], "value", report);
    }
  }
  for (const [index, name] of textsIn(valueAt(tree, ["kill", "backends"]))) {
    const path = ["kill", "backends", index];
    checkName({ kind: "backend", name, known: backends }, path, "value", report);
  }
}

interface UsedName {
  readonly kind: "role" | "backend";
  readonly name: string;
  readonly known: readonly string[];
}

function checkName(used: UsedName, path: Path, at: "key" | "value", report: Report): void {
  const { kind, name, known } = used;
  if (known.includes(name)) return;
  const near = suggest(name, known);
  const hint = near === undefined ? `add [${kind}s.${name}]` : `did you mean ${quote(near)}?`;
  report({ code: "unknown_name", path, at, message: `there is no ${kind} ${quote(name)}`, hint });
}

function isLoopbackUrl(url: string): boolean {
  return isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ""));
}
