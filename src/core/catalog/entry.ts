import type { Era } from "../../contract/mod.ts";
import type { JsonObject } from "../mcp/json.ts";
import { hashText } from "./hash.ts";
import { KINDS } from "./kinds.ts";
import { isRecord, unreadableMembers } from "./members.ts";
import { isWrapped, wrappedSchema } from "./output_schema.ts";
import type { Held } from "./pins.ts";
import { readableSchema } from "./schema.ts";
import type { ItemKind, Target } from "./types.ts";

/** One item of the merged catalog, ready to be listed. */
export interface Entry {
  readonly target: Target;
  /** JSON text of the definition, under the exposed name, for legacy clients. */
  readonly text: string;
  /** The same for modern clients; the same text for all but some tools. */
  readonly modern: string;
  /** Changes with the texts. */
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

/** How an item is shown beside its name. */
export interface Rendering {
  /** Of the backend. */
  readonly era: Era;
  /** Replaces its own. */
  readonly description?: string | undefined;
}

/** The last entry of each item: a change of one backend must not cost the work for all the others. */
const rendered = new WeakMap<JsonObject, { entry: Entry } & Rendering>();

/** What each target stands for, as received. */
const definitions = new WeakMap<Target, JsonObject>();

/** @throws TypeError for a target that no entry was created with */
export function definitionOf(target: Target): JsonObject {
  const definition = definitions.get(target);
  if (definition === undefined) throw new TypeError(`"${target.exposed}" has no definition`);
  return definition;
}

/** A target for what nobody has seen yet: it declares nothing. */
export function createUnseen(target: Target): Target {
  definitions.set(target, {});
  return target;
}

/** An entry for an item of a backend, which is not changed any more. */
export function createEntry(target: Target, item: JsonObject, rendering: Rendering): Entry {
  const { era, description } = rendering;
  definitions.set(target, item);
  const known = rendered.get(item);
  const same = known?.entry.target.exposed === target.exposed &&
    known.entry.target.kind === target.kind && known.description === description &&
    known.era === era;
  const entry = same ? { ...known.entry, target } : render(target, item, rendering);
  rendered.set(item, { entry, era, description });
  return entry;
}

function render(target: Target, item: JsonObject, { era, description }: Rendering): Entry {
  const { kind, exposed } = target;
  const unreadable = unreadableMembers(kind, item);
  const textOf = (shown: JsonObject): string => {
    for (const member of unreadable) delete shown[member];
    if (description !== undefined) shown["description"] = description;
    shown[KINDS[kind].key] = exposed;
    return JSON.stringify(shown);
  };
  const text = textOf(kind === "tool" ? legacyTool(item, era) : { ...item });
  const modern = kind === "tool" && differs(item, era) ? textOf(modernTool(item, era)) : text;
  const omitted = unreadable.filter((member) => item[member] !== null);
  return { target, text, modern, hash: hashText(text), omitted };
}

/** Whether a tool runs only as a task, which is not bridged (protocol.md 4.3). */
export function needsTask(tool: JsonObject): boolean {
  return isRecord(tool["execution"]) && tool["execution"]["taskSupport"] === "required";
}

/** Whether modern clients are shown a tool in another way. */
function differs({ execution, outputSchema }: JsonObject, era: Era): boolean {
  return isRecord(execution) && Object.hasOwn(execution, "taskSupport") ||
    isWrapped(outputSchema, era);
}

function legacyTool(tool: JsonObject, era: Era): JsonObject {
  const shown = readableTool(
    tool,
    (schema) => isWrapped(schema, era) ? wrappedSchema(schema) : readableSchema(schema),
  );
  const { execution } = tool;
  // Clients must not start tasks that nobody would serve.
  return isRecord(execution) && execution["taskSupport"] === "optional"
    ? withoutTasks(shown)
    : shown;
}

function modernTool(tool: JsonObject, era: Era): JsonObject {
  return withoutTasks(
    readableTool(tool, (schema) => isWrapped(schema, era) ? schema : readableSchema(schema)),
  );
}

function readableTool(tool: JsonObject, output: (schema: JsonObject) => JsonObject): JsonObject {
  const { inputSchema, outputSchema } = tool;
  const shown = { ...tool };
  if (isRecord(inputSchema)) shown["inputSchema"] = readableSchema(inputSchema);
  if (isRecord(outputSchema)) shown["outputSchema"] = output(outputSchema);
  else delete shown["outputSchema"];
  return shown;
}

/** What the modern era has no word for. */
function withoutTasks(tool: JsonObject): JsonObject {
  const { execution, ...rest } = tool;
  if (!isRecord(execution)) return tool;
  const { taskSupport: _, ...others } = execution;
  return Object.keys(others).length === 0 ? rest : { ...rest, execution: others };
}
