/** The catalog as operators see it. */
import { SentinelError } from "../../contract/mod.ts";
import type { Capability } from "../../contract/manage/mod.ts";
import { selectionOf } from "../auth/policy.ts";
import { ANONYMOUS } from "../auth/principal.ts";
import type { Entry, HeldEntry } from "../catalog/entry.ts";
import { ITEM_KINDS } from "../catalog/kinds.ts";
import type { Pins } from "../catalog/pins.ts";
import type { Selection } from "../catalog/selection.ts";
import type { Catalog, ItemKind } from "../catalog/types.ts";
import type { KillSwitches } from "./kill_switches.ts";
import type { World } from "./world.ts";

const DESCRIPTION_LENGTH = 500;

/** Makes the list once for each state of catalog and switches: it is asked for more often than it changes. */
export class Capabilities {
  #made:
    | { readonly catalog: Catalog; readonly version: number; readonly items: readonly Capability[] }
    | undefined;

  /** Sorted by kind and name. */
  of({ catalog, config, kills, pins }: World): readonly Capability[] {
    const { version } = kills;
    const made = this.#made;
    if (made !== undefined && made.catalog === catalog && made.version === version) {
      return made.items;
    }
    const toolsets = Object.keys(config.toolsets);
    const roles = new Map(
      Object.keys(config.roles).map((name) => [name, selectionOf({ roles: [name] }, config)]),
    );
    const around = { catalog, kills, pins, toolsets, roles };
    const shown = ITEM_KINDS.flatMap((kind) =>
      catalog.entries[kind].map((entry) => describe(entry, around))
    );
    const held = catalog.held.map((entry) => ({ ...describe(entry, around), held: entry.held }));
    const items = [...shown, ...held].toSorted(byKindAndName);
    this.#made = { catalog, version, items };
    return items;
  }
}

/** Also what is held. @throws SentinelError NOT_FOUND */
export function definitionOf(catalog: Catalog, kind: string, name: string): Entry {
  const known = ITEM_KINDS.find((candidate) => candidate === kind);
  const entry = known && (
    catalog.entries[known].find(({ target }) => target.exposed === name) ??
      heldOf(catalog, known, name)
  );
  if (entry !== undefined) return entry;
  throw new SentinelError(
    "NOT_FOUND",
    `There is no ${known ?? "capability"} "${name.slice(0, 200)}"`,
    known === undefined ? { reason: `kinds are ${ITEM_KINDS.join(", ")}` } : {},
  );
}

/** What waits for an approval under a name. */
export function heldOf(catalog: Catalog, kind: ItemKind, name: string): HeldEntry | undefined {
  return catalog.held.find(({ target }) => target.kind === kind && target.exposed === name);
}

interface Around {
  readonly catalog: Catalog;
  readonly kills: KillSwitches;
  readonly pins: Pins;
  readonly toolsets: readonly string[];
  /** What each role shows by itself. */
  readonly roles: ReadonlyMap<string, Selection>;
}

function describe({ target, text, hash }: Entry, around: Around): Capability {
  const { description } = JSON.parse(text) as { readonly description?: unknown };
  const killed = around.kills.of(target);
  const pin = around.pins.of(target);
  return {
    kind: target.kind,
    name: target.exposed,
    backend: target.backend,
    original: target.original,
    ...(typeof description === "string"
      ? { description: description.slice(0, DESCRIPTION_LENGTH) }
      : {}),
    hash,
    toolsets: around.toolsets.filter((name) => isShown(around.catalog, name, target)),
    roles: [...around.roles].filter(([, role]) => role.shows(target.kind, target.exposed))
      .map(([name]) => name),
    ...(killed === undefined ? {} : { killed: killed.reason }),
    ...(pin === undefined ? {} : { pin }),
    findings: around.catalog.findings.get(target) ?? [],
  };
}

function isShown(catalog: Catalog, toolset: string, { kind, exposed }: Entry["target"]): boolean {
  const view = catalog.view(toolset, ANONYMOUS);
  if (view === undefined) return false;
  if (view.held(kind, exposed) !== undefined) return true;
  if (kind === "tool") return view.tool(exposed) !== undefined;
  if (kind === "prompt") return view.prompt(exposed) !== undefined;
  if (kind === "template") return view.template(exposed) !== undefined;
  return view.resource(exposed)?.kind === "resource";
}

const RANK: Readonly<Record<ItemKind, number>> = { prompt: 0, resource: 1, template: 2, tool: 3 };

/** Kinds alphabetically, like names. */
function byKindAndName(a: Capability, b: Capability): number {
  if (a.kind !== b.kind) return RANK[a.kind] - RANK[b.kind];
  return a.name < b.name ? -1 : Number(a.name > b.name);
}
