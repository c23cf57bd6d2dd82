import type { JsonObject } from "../mcp/json.ts";
import { hashText } from "./hash.ts";
import { KINDS } from "./kinds.ts";
import { isRecord, unreadableMembers } from "./members.ts";
import { readableSchema } from "./schema.ts";
import type { Held } from "./pins.ts";
import type { ItemKind, Target } from "./types.ts";

/** One item of the merged catalog, ready to be listed. */
export interface Entry {
  readonly target: Target;
  /** JSON text of the definition, under the exposed name. */
  readonly text: string;
  /** Changes with the text. */
  readonly hash: string;
  /** Members left out because clients could not read them; `null` counts as absent. */
  readonly omitted: readonly string[];
}

/** An item that nobody sees before it is approved. */
export interface HeldEntry extends Entry {
  readonly held: Held;
}

/** Entries in the order of the catalog. */
export type EntryLists = Readonly<Record<ItemKind, readonly Entry[]>>;

/** The last entry of each item: a change of one backend must not cost the work for all the others. */
const rendered = new WeakMap<JsonObject, { entry: Entry; description: string | undefined }>();

/** What each target stands for, as received. */
const definitions = new WeakMap<Target, JsonObject>();

/** @throws TypeError for a target that no entry was created with */
export function definitionOf(target: Target): JsonObject {
  const definition = definitions.get(target);
  if (definition === undefined) throw new TypeError(`"${target.exposed}" has no definition`);
  return definition;
}

/** An entry for an item of a backend, which is not changed any more; `description` replaces its own. */
export function createEntry(target: Target, item: JsonObject, description?: string): Entry {
  definitions.set(target, item);
  const known = rendered.get(item);
  const same = known?.entry.target.exposed === target.exposed &&
    known.entry.target.kind === target.kind && known.description === description;
  const entry = same ? { ...known.entry, target } : render(target, item, description);
  rendered.set(item, { entry, description });
  return entry;
}

function render(target: Target, item: JsonObject, description: string | undefined): Entry {
  const { kind, exposed } = target;
  const shown = kind === "tool" ? shownTool(item) : { ...item };
  const unreadable = unreadableMembers(kind, item);
  for (const member of unreadable) delete shown[member];
  if (description !== undefined) shown["description"] = description;
  shown[KINDS[kind].key] = exposed;
  const text = JSON.stringify(shown);
  const omitted = unreadable.filter((member) => item[member] !== null);
  return { target, text, hash: hashText(text), omitted };
}

/** Whether a tool runs only as a task, which is not bridged (protocol.md 4.3). */
export function needsTask(tool: JsonObject): boolean {
  return isRecord(tool["execution"]) && tool["execution"]["taskSupport"] === "required";
}

function shownTool(tool: JsonObject): JsonObject {
  const { inputSchema, outputSchema } = tool;
  const shown = { ...tool };
  if (isRecord(inputSchema)) shown["inputSchema"] = readableSchema(inputSchema);
  if (isRecord(outputSchema)) shown["outputSchema"] = readableSchema(outputSchema);
  else delete shown["outputSchema"];
  return withoutTasks(shown);
}

/** Clients must not start tasks that nobody would serve. */
function withoutTasks(tool: JsonObject): JsonObject {
  const { execution, ...rest } = tool;
  if (!isRecord(execution) || execution["taskSupport"] !== "optional") return tool;
  const { taskSupport: _, ...others } = execution;
  return Object.keys(others).length === 0 ? rest : { ...rest, execution: others };
}
