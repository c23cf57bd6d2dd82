/** Suspicious definitions of a catalog: told, never blocked. */
import type { Finding } from "../../contract/definitions.ts";
import { definitionOf, type Entry } from "./entry.ts";
import { isIdentifier, lintDefinition } from "./lint_definition.ts";
import type { Target } from "./types.ts";

/** Tools of other backends that are told of one definition. */
const MAX_FOREIGN = 5;

/** By target; targets without a finding are not in it. */
export type Findings = ReadonlyMap<Target, readonly Finding[]>;

/** Looks at new definitions as a whole, and at all of them for names of others. */
export function lintCatalog(entries: readonly Entry[]): Findings {
  const targets = entries.map(({ target }) => target);
  const owners = ownersOf(targets);
  const similar = similarNames(targets);
  const all = new Map<Target, readonly Finding[]>();
  for (const target of targets) {
    const { findings, mentions } = lintDefinition(definitionOf(target));
    const found = [...findings, ...foreign(mentions, owners, target)];
    if (similar.has(target)) found.push({ kind: "similar_name", path: "$.name" });
    if (found.length > 0) all.set(target, found);
  }
  return all;
}

type Owners = ReadonlyMap<string, ReadonlySet<string>>;

/** Backends by the names of their tools, as shown and as their own. */
function ownersOf(targets: readonly Target[]): Owners {
  const owners = new Map<string, Set<string>>();
  for (const { kind, exposed, original, backend } of targets) {
    if (kind !== "tool") continue;
    for (const name of [exposed, original]) {
      if (!isIdentifier(name)) continue;
      const known = owners.get(name);
      if (known === undefined) owners.set(name, new Set([backend]));
      else known.add(backend);
    }
  }
  return owners;
}

function foreign(
  mentions: ReadonlyMap<string, string>,
  owners: Owners,
  { backend }: Target,
): readonly Finding[] {
  const found: Finding[] = [];
  for (const [name, path] of mentions) {
    const backends = owners.get(name);
    if (backends === undefined || backends.has(backend)) continue;
    if (found.length < MAX_FOREIGN) found.push({ kind: "foreign_tool", path });
  }
  return found;
}

/** Tools, or prompts, whose names a person could take for one another. */
function similarNames(targets: readonly Target[]): ReadonlySet<Target> {
  const named = targets.filter(({ kind }) => kind === "tool" || kind === "prompt");
  const groups = Map.groupBy(named, ({ kind, exposed }) => `${kind} ${folded(exposed)}`);
  return new Set([...groups.values()].filter(({ length }) => length > 1).flat());
}

function folded(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}
