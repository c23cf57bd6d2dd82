/** Which values are secrets: literals of that kind are refused, resolved ones are remembered for masking. */
import { type KeyNode, nodeAt } from "../contract/config/tree.ts";
import { hasUserInfo, isHarmless, looksLikeCredential, passwordOf } from "./credentials.ts";
import type { Finding, Path } from "./issue.ts";
import { isTable, type Table, valueAt } from "./raw.ts";
import { referencesIn, type ResolvedReference } from "./references.ts";

/** Masking shorter values would blank innocent text. */
const SHORTEST_SECRET = 4;

/** True when what stands at this path is confidential whatever it is. */
export function isSecretPath(root: KeyNode, path: Path): boolean {
  const secret = nodeAt(root, path)?.secret;
  if (secret === "always") return true;
  return secret === "named" && looksLikeCredential(String(path.at(-1)));
}

/** Paths of secrets that are written out in the file; URLs with a password are among them. */
export function literalSecrets(tree: Table, root: KeyNode): Path[] {
  return [...scalarsBelow(tree)]
    .filter(([path, value]) => isLiteralSecret(root, path, value))
    .map(([path]) => path);
}

/** Refusals of secrets written in the file, with the text to write in their place. */
export function literalFindings(
  paths: readonly Path[],
  tree: Table,
  root: KeyNode,
): Finding[] {
  // Other URLs may not carry a password at all: their own check says so.
  const refused = paths.filter((path) => nodeAt(root, path)?.secret !== undefined);
  return refused.map((path) => ({
    code: "secret_literal",
    path,
    at: "value",
    message: "secret written in the file",
    hint: `write  ${lastName(path)} = ${replacement(path, tree)}  and set the variable`,
  }));
}

/** Values that must not appear in any output, longest first. */
export function knownSecrets(
  resolved: Table,
  references: readonly ResolvedReference[],
  root: KeyNode,
): string[] {
  const referenced = references.filter((reference) => isSecretReference(root, reference))
    .map((reference) => reference.value);
  const placed = [...scalarsBelow(resolved)].flatMap(([path, value]) => {
    if (typeof value !== "string") return [];
    const password = passwordOf(value);
    if (password !== undefined) return [password, decoded(password)];
    const written = references.some((reference) => samePath(reference.path, path));
    return nodeAt(root, path)?.secret === "always" && !written ? [value] : [];
  });
  return [...new Set([...referenced, ...placed])]
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length);
}

function isSecretReference(root: KeyNode, reference: ResolvedReference): boolean {
  if (isHarmless(reference.value)) return false;
  if (reference.kind === "file") return true;
  return isSecretPath(root, reference.path) || looksLikeCredential(reference.name) ||
    passwordOf(reference.value) !== undefined;
}

function isLiteralSecret(root: KeyNode, path: Path, value: string | number): boolean {
  const node = nodeAt(root, path);
  const text = String(value);
  if (node?.secret === "password" || node?.noun === "URL") return hasLiteralPassword(text);
  if (!isSecretPath(root, path)) return false;
  if (node?.secret === "named" && isHarmless(text)) return false;
  // A misspelled reference is reported as such, and hides nothing.
  if (/^(Bearer |Basic |Token )?\$\{[^}]*\}$/i.test(text) && !text.includes(":-")) return false;
  const references = referencesIn(text);
  return references.length === 0 ||
    references.some((reference) => (reference.fallback ?? "") !== "");
}

/** A password that is itself a reference is fine: `redis://:${env:PASSWORD}@host`. */
function hasLiteralPassword(url: string): boolean {
  if (referencesIn(url).some(({ fallback }) => fallback !== undefined && hasUserInfo(fallback))) {
    return true;
  }
  const withoutReferences = url.replace(/\$\{[^}]*\}/g, "");
  return passwordOf(withoutReferences) !== undefined;
}

function* scalarsBelow(value: unknown, path: Path = []): Generator<[Path, string | number]> {
  if (typeof value === "string" || typeof value === "number") yield [path, value];
  const entries = Array.isArray(value)
    ? [...value.entries()]
    : isTable(value)
    ? Object.entries(value)
    : [];
  for (const [key, entry] of entries) yield* scalarsBelow(entry, [...path, key]);
}

/** Keeps the scheme of an Authorization header. */
function replacement(path: Path, tree: Table): string {
  const [scheme = ""] = /^(Bearer|Basic|Token) /i.exec(String(valueAt(tree, path))) ?? [];
  return `"${scheme}\${env:${variableName(path)}}"`;
}

/** A name for the variable that says where it belongs: `N8N_AUTHORIZATION`, `SENTINEL_JWT_SECRET`. */
function variableName(path: Path): string {
  const names = path.filter((segment) => typeof segment === "string");
  const last = String(names.at(-1));
  if (names[0] === "auth") return "SENTINEL_JWT_SECRET";
  if (names[0] === "management") return "SENTINEL_TOKEN";
  if (names[0] !== "backends") return shout(names.join("_"));
  return path[2] === "env" ? shout(last) : shout(`${names[1]}_${last}`);
}

function lastName(path: Path): string {
  const name = String(path.at(-1));
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name);
}

function shout(text: string): string {
  return text.replace(/[^A-Za-z0-9]+/g, "_").replace(/^(?=\d)/, "_").toUpperCase();
}

function decoded(password: string): string {
  try {
    return decodeURIComponent(password);
  } catch {
    // Not percent-encoded after all: the text itself is the password.
    return password;
  }
}

function samePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((segment, index) => segment === b[index]);
}
