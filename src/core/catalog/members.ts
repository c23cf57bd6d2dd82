/**
 * Optional members of definitions, as clients check them. Strict clients refuse a whole list for one
 * member of the wrong type (protocol.md 0.5), `null` included; such a member is not shown.
 */
import * as v from "valibot";
import { isObject, type JsonObject } from "../mcp/json.ts";
import type { ItemKind } from "./types.ts";

/** A wide number is an object to `typeof` (`JSON.rawJSON`). */
const { isRawJSON } = JSON as unknown as { readonly isRawJSON: (value: unknown) => boolean };

export function isRecord(value: unknown): value is JsonObject {
  return isObject(value) && !isRawJSON(value);
}

const DATE_TIME =
  /^(\d{4}-\d{2}-\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

const text = v.string();
const flag = v.optional(v.boolean());
const record = v.custom<JsonObject>(isRecord);
const number = v.custom((value) => Number.isFinite(numberOf(value)));
const share = v.custom((value) => numberOf(value) >= 0 && numberOf(value) <= 1);
const time = v.pipe(text, v.check(isTime));

const icons = v.array(object({
  src: text,
  mimeType: v.optional(text),
  sizes: v.optional(v.array(text)),
  theme: v.optional(v.picklist(["light", "dark"])),
}));
const toolAnnotations = object({
  title: v.optional(text),
  readOnlyHint: flag,
  destructiveHint: flag,
  idempotentHint: flag,
  openWorldHint: flag,
});
const contentAnnotations = object({
  audience: v.optional(v.array(v.picklist(["user", "assistant"]))),
  priority: v.optional(share),
  lastModified: v.optional(time),
});
const promptArguments = v.array(object({
  name: text,
  description: v.optional(text),
  required: flag,
}));
const execution = object({
  taskSupport: v.optional(v.picklist(["required", "optional", "forbidden"])),
});

const common = { title: text, description: text, icons, _meta: record };
const content = { ...common, mimeType: text, annotations: contentAnnotations };

const MEMBERS: Readonly<Record<ItemKind, Readonly<Record<string, v.GenericSchema>>>> = {
  tool: { ...common, annotations: toolAnnotations, execution },
  prompt: { ...common, arguments: promptArguments },
  resource: { ...content, size: number },
  template: content,
};

/** Optional members of a definition that clients could not read. */
export function unreadableMembers(kind: ItemKind, item: JsonObject): readonly string[] {
  return Object.entries(MEMBERS[kind]).flatMap(([member, schema]) =>
    Object.hasOwn(item, member) && !v.is(schema, item[member]) ? [member] : []
  );
}

function object(members: v.ObjectEntries) {
  return v.pipe(v.unknown(), v.check(isRecord), v.looseObject(members));
}

/** NaN for what is no number. */
function numberOf(value: unknown): number {
  if (typeof value === "number") return value;
  return isRawJSON(value) ? Number(JSON.stringify(value)) : Number.NaN;
}

function isTime(value: string): boolean {
  const [, date] = DATE_TIME.exec(value) ?? [];
  if (date === undefined) return false;
  const start = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(start) && new Date(start).toISOString().startsWith(date);
}
